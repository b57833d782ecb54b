---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Answers with what it was asked, and with answers of every shape that wasi:http allows.

use futures::SinkExt;
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    let word = path.trim_start_matches('/').split(['?', '/']).next().unwrap_or_default().to_owned();
    match word.as_str() {
        "empty" => {
            let response = OutgoingResponse::new(Fields::new());
            response.set_status_code(204).unwrap();
            response_out.set(response);
        }
        "nobody" => response_out.set(OutgoingResponse::new(Fields::new())),
        "twice" => {
            let headers = Fields::new();
            for value in ["one", "two"] {
                headers.append(&"set-cookie".to_owned(), &value.as_bytes().to_vec()).unwrap();
            }
            headers.append(&"x-bytes".to_owned(), &vec![0xe4, 0xf6]).unwrap();
            response_out.set(OutgoingResponse::new(headers));
        }
        "headers" => {
            let tried = |name: &str, value: &[u8]| {
                format!("{:?}", Fields::new().append(&name.to_owned(), &value.to_vec()))
            };
            let given = format!("{:?}", request.headers().append(&"x".to_owned(), &b"y".to_vec()));
            let all = [
                tried("x-fine", b"fine"),
                tried("not fine", b"x"),
                tried("x", b"two\nlines"),
                tried("Connection", b"close"),
                given,
            ];
            body(response_out, 200, all.join("\n").into_bytes(), None).await;
        }
        "short" => body(response_out, 200, b"12345".to_vec(), Some(10)).await,
        "long" => body(response_out, 200, b"1234567890".to_vec(), Some(5)).await,
        "exact" => body(response_out, 200, b"12345".to_vec(), Some(5)).await,
        "binary" => body(response_out, 200, (0..=255).collect(), None).await,
        "print" => {
            println!("to the output");
            eprint!("no end of line");
            for _ in 0..3 {
                println!("grüße");
            }
            body(response_out, 200, b"printed".to_vec(), None).await;
        }
        "flood" => {
            let line = "x".repeat(1000);
            for _ in 0..3000 {
                println!("{line}");
            }
            body(response_out, 200, b"flooded".to_vec(), None).await;
        }
        "random" => {
            let map: std::collections::HashMap<u8, u8> = (0..20).map(|n| (n, n)).collect();
            body(response_out, 200, format!("{:?}", map.keys().collect::<Vec<_>>()).into_bytes(), None).await;
        }
        "compute" => {
            let mut sum = 0_u64;
            for number in 0..200_000_000_u64 {
                sum = std::hint::black_box(sum.wrapping_add(number));
            }
            body(response_out, 200, sum.to_string().into_bytes(), None).await;
        }
        "clock" => {
            let before = std::time::Instant::now();
            std::thread::sleep(std::time::Duration::from_millis(30));
            let slept = before.elapsed() >= std::time::Duration::from_millis(30);
            let year = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            body(response_out, 200, format!("{slept} {}", year > 1_700_000_000).into_bytes(), None).await;
        }
        "environment" => {
            let mut all: Vec<String> = std::env::vars().map(|(key, value)| format!("{key}={value}")).collect();
            all.sort();
            body(response_out, 200, all.join("\n").into_bytes(), None).await;
        }
        "status" => {
            let status = path.rsplit('/').next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let response = OutgoingResponse::new(Fields::new());
            let set = response.set_status_code(status);
            if set.is_err() {
                response.set_status_code(500).unwrap();
            }
            response_out.set(response);
        }
        _ => {
            let mut told = vec![
                format!("method {:?}", request.method()),
                format!("path {path}"),
                format!("scheme {:?}", request.scheme()),
                format!("authority {:?}", request.authority()),
            ];
            for (name, value) in request.headers().entries() {
                told.push(format!("{name}: {}", value.iter().map(|byte| *byte as char).collect::<String>()));
            }
            let sent = request.into_body().await.unwrap_or_default();
            told.push(format!("body {sent:?}"));
            body(response_out, 200, told.join("\n").into_bytes(), None).await;
        }
    }
}

async fn body(response_out: ResponseOutparam, status: u16, content: Vec<u8>, promised: Option<usize>) {
    let headers = Fields::new();
    if let Some(length) = promised {
        headers.append(&"content-length".to_owned(), &length.to_string().into_bytes()).unwrap();
    }
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).unwrap();
    let mut out = response.take_body();
    response_out.set(response);
    out.send(content).await.ok();
}
