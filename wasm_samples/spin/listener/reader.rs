---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! What the listener has heard, over HTTP: a key of the store that both may open.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;

#[http_component]
fn read(request: Request) -> anyhow::Result<impl IntoResponse> {
    let key = request.path().trim_start_matches('/');
    Ok(match Store::open_default()?.get(key)? {
        Some(value) => Response::new(200, value),
        None => Response::new(404, "nothing yet\n"),
    })
}
