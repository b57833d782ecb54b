//! The part of the Spin host that runs inside the sandbox, beside the guest.
//!
//! A call from a guest to Python costs as much as thousands of instructions, and a small request of
//! wasi:http takes twenty of them. This component implements wasi:io, wasi:http/types and what shares
//! their streams in Wasm, and asks Python only for the request, and to take the response: three calls.
//! One instance serves one request, so its state is plain statics.

mod body;
mod fields;
mod files;
mod messages;
mod polling;
mod streams;

wit_bindgen::generate!({ world: "front", path: "wit", generate_all });

pub struct Front;

export!(Front);
