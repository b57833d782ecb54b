---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! SQLite: a table of notes. Needs the database `default`.

use serde::Serialize;
use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::http_component;
use spin_sdk::sqlite3::{Connection, Value};

#[derive(Serialize)]
struct Note {
    id: i64,
    text: String,
}

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/notes", list);
    router.post("/notes", add);
    router.delete("/notes/:id", delete);
    router.get("/databases/:name", open);
    router.handle(request)
}

fn connect() -> anyhow::Result<Connection> {
    let connection = Connection::open_default()?;
    connection.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)", &[])?;
    Ok(connection)
}

fn list(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let found = connect()?.execute("SELECT id, text FROM notes ORDER BY id", &[])?;
    let notes: Vec<Note> = found
        .rows()
        .map(|row| Note {
            id: row.get::<i64>("id").unwrap_or_default(),
            text: row.get::<&str>("text").unwrap_or_default().to_owned(),
        })
        .collect();
    Ok(Response::new(200, serde_json::to_vec(&notes)?))
}

fn add(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let text = String::from_utf8(request.into_body())?;
    connect()?.execute("INSERT INTO notes (text) VALUES (?)", &[Value::Text(text)])?;
    Ok(Response::new(201, ()))
}

fn delete(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let id: i64 = params.get("id").unwrap_or_default().parse()?;
    connect()?.execute("DELETE FROM notes WHERE id = ?", &[Value::Integer(id)])?;
    Ok(Response::new(204, ()))
}

/// Whether the component may open a database: only those that its manifest lists.
fn open(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let name = params.get("name").unwrap_or_default();
    Ok(match Connection::open(name) {
        Ok(_) => Response::new(200, format!("{name}: open\n")),
        Err(error) => Response::new(403, format!("{name}: {error}\n")),
    })
}
