---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Variables, environment and files: all that a component is given, and that it cannot change.
//!
//! Needs the variable `token`, which has no default: SPIN_VARIABLE_TOKEN in the environment.

use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::{http_component, variables};
use std::fs;

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/variables/:name", variable);
    router.get("/environment", environment);
    router.get("/files/*", read);
    router.put("/files/*", write);
    router.handle(request)
}

fn variable(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(match variables::get(params.get("name").unwrap_or_default()) {
        Ok(value) => Response::new(200, value),
        Err(error) => Response::new(404, format!("{error}\n")),
    })
}

fn environment(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let all: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    Ok(Response::new(200, serde_json::to_vec(&all)?))
}

fn read(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let path = format!("/{}", params.wildcard().unwrap_or_default());
    if let Ok(entries) = fs::read_dir(&path) {
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        return Ok(Response::new(200, serde_json::to_vec(&names)?));
    }
    Ok(match fs::read(&path) {
        Ok(bytes) => Response::new(200, bytes),
        Err(error) => Response::new(404, format!("{path}: {error}\n")),
    })
}

fn write(request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let path = format!("/{}", params.wildcard().unwrap_or_default());
    Ok(match fs::write(&path, request.body()) {
        Ok(()) => Response::new(200, "written\n"),
        Err(error) => Response::new(403, format!("{path}: {error}\n")),
    })
}
