//! The API of docs/loadtest.md as a component that exports wasi:http, for Spin and wasmtime serve.

use spin_sdk::http::{Request, Response};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> Response {
    let (status, body) = answers::answer(&request.method().to_string(), request.path(), request.body());
    Response::builder().status(status).header("content-type", "application/json").body(body).build()
}
