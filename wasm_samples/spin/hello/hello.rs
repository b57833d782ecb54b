---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! The simplest Spin application: routes, a header, a body, and what Spin tells of a request.
//!
//! Needs nothing. With the application served on port 3000:
//!
//! $ curl http://127.0.0.1:3000/hello/Ada
//! Hello, Ada!

use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::http_component;

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/", home);
    router.get("/hello/:name", hello);
    router.post("/length", length);
    router.any("/headers", headers);
    router.any("/status/:code", status);
    router.any("/*", not_found);
    router.handle(request)
}

fn text(status: u16, body: impl Into<String>) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8")
        .body(body.into())
        .build()
}

fn home(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(text(200, "It runs.\n"))
}

fn hello(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let name = params.get("name").unwrap_or("nobody");
    println!("greeting {name}"); // to the component's log
    Ok(text(200, format!("Hello, {name}!\n")))
}

fn length(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(text(200, format!("{}\n", request.body().len())))
}

/// What arrived: method, URI and every header, as JSON.
fn headers(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let headers: Vec<(&str, String)> = request
        .headers()
        .map(|(name, value)| (name, String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let told = serde_json::json!({
        "method": request.method().to_string(),
        "uri": request.uri(),
        "query": request.query(),
        "headers": headers,
    });
    Ok(Response::builder()
        .status(200)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(&told)?)
        .build())
}

fn status(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let code: u16 = params.get("code").unwrap_or("200").parse()?;
    Ok(Response::new(code, ()))
}

fn not_found(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(text(404, format!("Nothing at {}.\n", request.path())))
}
