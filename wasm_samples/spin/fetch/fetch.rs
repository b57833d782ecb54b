---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Outgoing requests: to a server that the manifest allows, to this application itself, to any other.
//!
//! Needs the host that the variable `allowed` names.

use spin_sdk::http::{IntoResponse, Method, Request, Response};
use spin_sdk::{http_component, variables};

#[http_component]
async fn fetch(request: Request) -> anyhow::Result<impl IntoResponse> {
    let url = match request.path() {
        "/allowed" => format!("http://{}/from-the-guest", variables::get("allowed")?),
        "/self" => "/inner/of-this-application".to_owned(),
        _ => request.query().strip_prefix("url=").unwrap_or_default().to_owned(),
    };
    let outgoing = Request::builder()
        .method(if request.body().is_empty() { Method::Get } else { Method::Post })
        .uri(&url)
        .header("x-sent-by", "a guest")
        .body(request.body().to_vec())
        .build();
    let answer: Result<Response, _> = spin_sdk::http::send(outgoing).await;
    Ok(match answer {
        Ok(answer) => {
            let kind = answer.header("content-type").and_then(|kind| kind.as_str()).unwrap_or("text/plain");
            Response::builder()
                .status(*answer.status())
                .header("content-type", kind)
                .header("x-fetched-from", url)
                .body(answer.body().to_vec())
                .build()
        }
        Err(error) => Response::new(502, format!("{url}: {error}\n")),
    })
}
