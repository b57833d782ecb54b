//! The API of docs/loadtest.md on WasmEdge's sockets: wasmedge loadtest-wasmedge.wasm PORT
//!
//! Built with `--cfg wasmedge --cfg tokio_unstable`, for the versions of tokio and hyper that use
//! WasmEdge's extension of WASI 0.1.

#[path = "../../answers/answers.rs"]
mod answers;

use hyper::server::conn::Http;
use hyper::service::service_fn;
use hyper::{body, Body, Error, Request, Response};
use tokio::net::TcpListener;

async fn handle(request: Request<Body>) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let body = body::to_bytes(body).await?;
    let (status, answer) = answers::answer(head.method.as_str(), head.uri.path(), &body);
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(Body::from(answer)).expect("a status and one header"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args().nth(1).expect("PORT");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("the port is free");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            // Without writev, head and body are one packet; as two, each answer would wait 40 ms for
            // the acknowledgement of the first, since these sockets have no TCP_NODELAY.
            let mut http = Http::new();
            http.http1_only(true).http1_writev(false);
            let _ = http.serve_connection(stream, service_fn(handle)).await;
        });
    }
}
