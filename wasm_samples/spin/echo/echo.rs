---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Streaming bodies, both ways: no body is ever held as a whole.
//!
//! POST /echo      what comes in goes out, piece by piece
//! POST /sum       counts the bytes that come in
//! GET /bytes/N    N bytes
//! GET /slowly/N   N lines, 20 ms apart

use futures::{SinkExt, StreamExt};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;
use std::time::Duration;

const PIECE: usize = 64 * 1024;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    let headers = Fields::new();
    headers.append(&"content-type".to_owned(), &b"application/octet-stream".to_vec()).unwrap();
    let response = OutgoingResponse::new(headers);
    let number = words.get(1).and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
    let known = ["echo", "sum", "bytes", "slowly"].contains(&words[0]);
    response.set_status_code(if known { 200 } else { 404 }).unwrap();
    let mut out = response.take_body();
    response_out.set(response);
    match words[0] {
        "echo" => {
            let mut pieces = Box::pin(request.into_body_stream());
            while let Some(Ok(piece)) = pieces.next().await {
                if out.send(piece).await.is_err() {
                    return; // nobody listens any more
                }
            }
        }
        "sum" => {
            let mut pieces = Box::pin(request.into_body_stream());
            let mut total = 0;
            while let Some(Ok(piece)) = pieces.next().await {
                total += piece.len();
            }
            out.send(format!("{total}\n").into_bytes()).await.ok();
        }
        "bytes" => {
            let mut left = number;
            while left > 0 {
                let size = left.min(PIECE);
                if out.send(vec![b'x'; size]).await.is_err() {
                    return;
                }
                left -= size;
            }
        }
        "slowly" => {
            for line in 1..=number {
                if out.send(format!("{line}\n").into_bytes()).await.is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        _ => {}
    }
}
