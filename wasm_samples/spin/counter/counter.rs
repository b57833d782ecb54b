---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! The key-value store: count visits, and keep, read, list and delete values by name.
//!
//! Needs the store `default`. With the application served on port 3000:
//!
//! $ curl http://127.0.0.1:3000/visits
//! 1
//! $ curl -X PUT --data 'a value' http://127.0.0.1:3000/keys/name
//! $ curl http://127.0.0.1:3000/keys/name
//! a value

use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::http_component;
use spin_sdk::key_value::Store;

const ROUTES: &str = "GET /visits
GET /keys
GET, PUT, DELETE /keys/<name>
GET /stores/<label>
ANY /nothing
";

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/", index);
    router.any("/nothing", nothing);
    router.get("/visits", visits);
    router.get("/keys", list);
    router.get("/keys/:key", read);
    router.put("/keys/:key", write);
    router.delete("/keys/:key", delete);
    router.get("/stores/:label", open);
    router.any("/*", unknown);
    router.handle(request)
}

/// What there is, for whoever begins at the root.
fn index(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(Response::new(200, ROUTES))
}

fn unknown(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(Response::new(404, format!("There is no such route. There are:\n{ROUTES}")))
}

/// An answer that touches no store: what the others cost beyond it is the store's price.
fn nothing(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    Ok(Response::new(204, ()))
}

/// Reads and writes in two steps, so that visits at the same moment may be counted as one.
fn visits(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let store = Store::open_default()?;
    let before: u64 = store.get_json("visits")?.unwrap_or(0);
    store.set_json("visits", &(before + 1))?;
    Ok(Response::new(200, format!("{}\n", before + 1)))
}

fn list(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let mut keys = Store::open_default()?.get_keys()?;
    keys.sort();
    Ok(Response::new(200, serde_json::to_vec(&keys)?))
}

fn read(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let key = params.get("key").unwrap_or_default();
    Ok(match Store::open_default()?.get(key)? {
        Some(value) => Response::new(200, value),
        None => Response::new(404, format!("{key} is not set\n")),
    })
}

fn write(request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let key = params.get("key").unwrap_or_default();
    Store::open_default()?.set(key, request.body())?;
    Ok(Response::new(204, ()))
}

fn delete(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let key = params.get("key").unwrap_or_default();
    Store::open_default()?.delete(key)?;
    Ok(Response::new(204, ()))
}

/// Whether the component may open a store: only those that its manifest lists.
fn open(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let label = params.get("label").unwrap_or_default();
    Ok(match Store::open(label) {
        Ok(_) => Response::new(200, format!("{label}: open\n")),
        Err(error) => Response::new(403, format!("{label}: {error}\n")),
    })
}
