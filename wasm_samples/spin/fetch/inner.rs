---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! What `fetch` asks for when it asks its own application.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn inner(request: Request) -> anyhow::Result<impl IntoResponse> {
    let by = request.header("x-sent-by").and_then(|value| value.as_str()).unwrap_or("nobody");
    Ok(Response::new(200, format!("inner {} {}, sent by {by}\n", request.method(), request.path())))
}
