---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! A second component of the same application: which route brought a request here.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn about(request: Request) -> anyhow::Result<impl IntoResponse> {
    let header = |name: &str| {
        let value = request.header(name).and_then(|value| value.as_str());
        value.unwrap_or("not there").to_owned()
    };
    let told = serde_json::json!({
        "component-route": header("spin-component-route"),
        "matched-route": header("spin-matched-route"),
        "path-info": header("spin-path-info"),
        "topic": header("spin-path-match-topic"),
    });
    Ok(Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&told)?)
        .build())
}
