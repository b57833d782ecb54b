---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! PostgreSQL: typed rows, parameters, a transaction of several statements, an error of the server.
//!
//! Needs a PostgreSQL server, named by the variables `postgres_host` (which the rules allow) and
//! `postgres_url` (which is connected to, with user and password): 127.0.0.1:5432 unless they are set.

use serde::{Deserialize, Serialize};
use spin_sdk::http::{IntoResponse, Params, Request, Response, Router};
use spin_sdk::pg4::{Connection, ParameterValue};
use spin_sdk::{http_component, variables};

#[derive(Serialize, Deserialize)]
struct Person {
    #[serde(default)]
    id: i32,
    name: String,
    born: Option<i32>,
}

#[http_component]
fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new();
    router.get("/people", list);
    router.post("/people", add);
    router.post("/people/all-or-none", add_all);
    router.get("/people/:id", get);
    router.get("/sleep/:seconds", sleep);
    router.handle(request)
}

fn connect() -> anyhow::Result<Connection> {
    let connection = Connection::open(&variables::get("address")?)?;
    connection.execute(
        "CREATE TABLE IF NOT EXISTS people (id SERIAL PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), born INT)",
        &[],
    )?;
    Ok(connection)
}

fn json(status: u16, told: &impl Serialize) -> anyhow::Result<Response> {
    let body = serde_json::to_vec(told)?;
    Ok(Response::builder().status(status).header("content-type", "application/json").body(body).build())
}

fn select(connection: &Connection, rest: &str, with: &[ParameterValue]) -> anyhow::Result<Vec<Person>> {
    let found = connection.query(&format!("SELECT id, name, born FROM people {rest}"), with)?;
    let people = found.rows().map(|row| Person {
        id: row.get("id").unwrap_or_default(),
        name: row.get("name").unwrap_or_default(),
        born: row.get::<Option<i32>>("born").flatten(),
    });
    Ok(people.collect())
}

fn insert(connection: &Connection, person: &Person) -> anyhow::Result<u64> {
    let born = person.born.map_or(ParameterValue::DbNull, ParameterValue::Int32);
    let with = [ParameterValue::Str(person.name.clone()), born];
    Ok(connection.execute("INSERT INTO people (name, born) VALUES ($1, $2)", &with)?)
}

fn list(_request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    json(200, &select(&connect()?, "ORDER BY id", &[])?)
}

fn get(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let id: i32 = params.get("id").unwrap_or_default().parse()?;
    let found = select(&connect()?, "WHERE id = $1", &[ParameterValue::Int32(id)])?;
    match found.first() {
        Some(person) => json(200, person),
        None => Ok(Response::new(404, ())),
    }
}

fn add(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let person: Person = serde_json::from_slice(request.body())?;
    match insert(&connect()?, &person) {
        Ok(_) => Ok(Response::new(201, ())),
        Err(error) => Ok(Response::new(400, format!("{error:#}\n"))),
    }
}

/// Every person of a list, or none of them when one is refused.
fn add_all(request: Request, _params: Params) -> anyhow::Result<impl IntoResponse> {
    let people: Vec<Person> = serde_json::from_slice(request.body())?;
    let connection = connect()?;
    connection.execute("BEGIN", &[])?;
    let added: anyhow::Result<u64> = people.iter().map(|person| insert(&connection, person)).sum();
    match added {
        Ok(count) => {
            connection.execute("COMMIT", &[])?;
            Ok(Response::new(201, format!("{count}\n")))
        }
        Err(error) => {
            connection.execute("ROLLBACK", &[])?;
            Ok(Response::new(400, format!("none added: {error:#}\n")))
        }
    }
}

/// A statement that takes its time.
fn sleep(_request: Request, params: Params) -> anyhow::Result<impl IntoResponse> {
    let seconds: f64 = params.get("seconds").unwrap_or_default().parse()?;
    connect()?.query("SELECT pg_sleep($1)::text", &[ParameterValue::Floating64(seconds)])?;
    Ok(Response::new(200, "slept\n"))
}
