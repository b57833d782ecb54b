---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! The API of docs/loadtest.md as a component that exports wasi:http, for Spin and wasmtime serve.
//!
//! Its dependencies are those of the sample Spin applications, so that they are built only once.

#[path = "../answers/answers.rs"]
mod answers;

use spin_sdk::http::{Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> Response {
    let (status, body) = answers::answer(&request.method().to_string(), request.path(), request.body());
    Response::builder().status(status).header("content-type", "application/json").body(body).build()
}
