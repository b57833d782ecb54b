---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Redis: values, a counter, sets, any command, and messages.
//!
//! Needs a Redis server, named by the variables `redis_host` (which the rules allow) and `redis_url`
//! (which is connected to, with a password where it has one): 127.0.0.1:6379 unless they are set.

use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::http_component;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::variables;

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/values/:key", read);
    router.put("/values/:key", write);
    router.put("/values/:key/:seconds", write_for);
    router.delete("/values/:key", delete);
    router.post("/counters/:key", count);
    router.get("/sets/:key", members);
    router.post("/sets/:key/:member", add);
    router.delete("/sets/:key/:member", remove);
    router.post("/channels/:channel", publish);
    router.get("/other", other);
    router.handle(request)
}

fn connect() -> anyhow::Result<Connection> {
    Ok(Connection::open(&variables::get("address")?)?)
}

fn param<'a>(params: &'a Params, name: &str) -> &'a str {
    params.get(name).unwrap_or_default()
}

fn read(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(match connect()?.get(param(&params, "key"))? {
        Some(value) => Response::new(200, value),
        None => Response::new(404, "not set\n"),
    })
}

fn write(request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    connect()?.set(param(&params, "key"), &request.into_body())?;
    Ok(Response::new(204, ()))
}

/// `set` of the SDK takes no time to live. Redis's own command does.
fn write_for(request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let words = [
        RedisParameter::Binary(param(&params, "key").into()),
        RedisParameter::Binary(request.into_body()),
        RedisParameter::Binary(b"EX".to_vec()),
        RedisParameter::Int64(param(&params, "seconds").parse()?),
    ];
    let told = connect()?.execute("SET", &words)?;
    Ok(match told.first() {
        Some(RedisResult::Status(status)) => Response::new(200, status.clone()),
        other => Response::new(502, format!("{other:?}")),
    })
}

fn delete(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let deleted = connect()?.del(&[param(&params, "key").to_owned()])?;
    Ok(Response::new(200, format!("{deleted}\n")))
}

fn count(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let now = connect()?.incr(param(&params, "key"))?;
    Ok(Response::new(200, format!("{now}\n")))
}

fn members(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let mut members = connect()?.smembers(param(&params, "key"))?;
    members.sort();
    Ok(Response::new(200, serde_json::to_vec(&members)?))
}

fn add(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let added = connect()?.sadd(param(&params, "key"), &[param(&params, "member").to_owned()])?;
    Ok(Response::new(200, format!("{added}\n")))
}

fn remove(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let removed = connect()?.srem(param(&params, "key"), &[param(&params, "member").to_owned()])?;
    Ok(Response::new(200, format!("{removed}\n")))
}

fn publish(request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    connect()?.publish(param(&params, "channel"), &request.into_body())?;
    Ok(Response::new(204, ()))
}

/// A server that the manifest does not allow, given as `?address=redis://…`.
fn other(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let address = request.query().strip_prefix("address=").unwrap_or_default();
    Ok(match Connection::open(address) {
        Ok(_) => Response::new(200, "open\n"),
        Err(error) => Response::new(403, format!("{error}\n")),
    })
}
