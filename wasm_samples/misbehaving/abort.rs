//! Ends by `std::process::abort`, which says nothing.
//!
//! Expected: a trap ("unreachable"), as a panic without a message.
//!
//! ```console
//! $ wasm-lab run misbehaving/abort.rs
//! before
//! ...
//! [exit status 134]
//! ```

fn main() {
    println!("before");
    std::process::abort();
}
