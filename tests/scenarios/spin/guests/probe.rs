---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! Calls every interface of Spin's that the samples do not, and answers with what it was told.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::wit::fermyon::spin2_0_0::{llm, mqtt, mysql};
use spin_sdk::wit::wasi::config::store as config;
use spin_sdk::wit::wasi::keyvalue::{atomics, batch, store};
use spin_sdk::{http_component, key_value, pg, pg3, pg4, redis, sqlite, sqlite3, variables};

#[http_component]
fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let told = match request.path() {
        "/keyvalue" => keyvalue(),
        "/config" => format!("{:?} {:?} {:?}", config::get("colour"), config::get("none"), {
            let mut all = config::get_all().unwrap();
            all.sort();
            all
        }),
        "/variables" => format!("{:?} {:?}", variables::get("colour"), variables::get("No Name")),
        "/refused" => refused(),
        "/sqlite" => sqlite2(),
        "/pg" => pg2(),
        "/pg3" => pg_3(),
        "/pg4" => pg_4(),
        "/leave-open" => leave_open(),
        "/many" => many(),
        "/redis-kinds" => redis_kinds(),
        "/large" => large(),
        "/too-large" => too_large(),
        other => format!("no {other}"),
    };
    Ok(Response::new(200, told))
}

fn keyvalue() -> String {
    let bucket = store::open("default").unwrap();
    batch::set_many(&bucket, &[("a".into(), b"1".to_vec()), ("b".into(), b"2".to_vec())]).unwrap();
    let some = batch::get_many(&bucket, &["b".into(), "none".into()]).unwrap();
    let mut keys = bucket.list_keys(None).unwrap().keys;
    keys.sort();
    let sum = (atomics::increment(&bucket, "n", 5).unwrap(), atomics::increment(&bucket, "n", -7).unwrap());
    let stale = atomics::Cas::new(&bucket, "a").unwrap();
    bucket.set("a", b"changed").unwrap();
    let swapped = match atomics::swap(stale, b"mine") {
        Err(atomics::CasError::CasFailed(again)) => {
            let seen = again.current().unwrap();
            (seen, atomics::swap(again, b"mine").is_ok())
        }
        other => panic!("{other:?}"),
    };
    batch::delete_many(&bucket, &["b".into()]).unwrap();
    format!(
        "{some:?} {keys:?} {sum:?} {swapped:?} {} {:?} {:?}",
        bucket.exists("b").unwrap(),
        bucket.get("a").unwrap(),
        store::open("other").err(),
    )
}

fn refused() -> String {
    let answers = [
        format!("{:?}", mysql::Connection::open("mysql://localhost/x").err()),
        format!("{:?}", mqtt::Connection::open("mqtt://localhost", "", "", 1).err()),
        format!("{:?}", llm::infer("small", "hello", None).err()),
        format!("{:?}", llm::infer("unlisted", "hello", None).err()),
        format!("{:?}", redis::Connection::open("redis://elsewhere").err()),
        format!("{:?}", pg4::Connection::open("postgres://elsewhere/db").err()),
        format!("{:?}", sqlite3::Connection::open("other").err()),
    ];
    answers.join("\n")
}

fn sqlite2() -> String {
    let connection = sqlite::Connection::open_default().unwrap();
    connection.execute("CREATE TABLE IF NOT EXISTS t (a, b, c)", &[]).unwrap();
    let values = [sqlite::Value::Integer(-1), sqlite::Value::Real(0.5), sqlite::Value::Null];
    connection.execute("INSERT INTO t VALUES (?, ?, ?)", &values).unwrap();
    let found = connection.execute("SELECT * FROM t", &[]).unwrap();
    let rows: Vec<_> = found.rows.iter().map(|row| format!("{:?}", row.values)).collect();
    let refused = connection.execute("ATTACH 'x.db' AS x", &[]).err();
    let newer = sqlite3::Connection::open_default().unwrap();
    newer.execute("UPDATE t SET a = 2", &[]).unwrap();
    format!("{:?} {rows:?} {refused:?} {}", found.columns, newer.changes())
}

fn address() -> String {
    variables::get("postgres").unwrap()
}

fn pg2() -> String {
    let connection = pg::Connection::open(&address()).unwrap();
    let found = connection
        .query("SELECT $1::int4 AS a, $2::text AS b, NULL::text AS c, now()::date AS d", &[
            pg::ParameterValue::Int32(7),
            pg::ParameterValue::Str("ä".into()),
        ])
        .unwrap();
    let types: Vec<_> = found.columns.iter().map(|column| format!("{}:{:?}", column.name, column.data_type)).collect();
    format!("{types:?} {:?} {:?}", found.rows, connection.execute("SELEC", &[]).err())
}

fn pg_3() -> String {
    let connection = pg3::Connection::open(&address()).unwrap();
    let found = connection
        .query("SELECT $1::date AS a, $2::timestamp AS b", &[
            pg3::ParameterValue::Date((2024, 2, 29)),
            pg3::ParameterValue::Datetime((1999, 12, 31, 23, 59, 58, 7000)),
        ])
        .unwrap();
    format!("{:?}", found.rows)
}

fn pg_4() -> String {
    use pg4::ParameterValue as P;
    let connection = pg4::Connection::open(&address()).unwrap();
    let bound = |n| Some((n, pg4::RangeBoundKind::Inclusive));
    let values = [
        P::Uuid("12345678-1234-5678-1234-567812345678".into()),
        P::Jsonb(br#"{"a":1}"#.to_vec()),
        P::Decimal("12.50".into()),
        P::RangeInt32((bound(1), None)),
        P::ArrayStr(vec![Some("x".into()), None]),
        P::Interval(pg4::Interval { micros: 1, days: 2, months: 3 }),
    ];
    let found = connection
        .query("SELECT $1::uuid, $2::jsonb, $3::numeric, $4::int4range, $5::text[], $6::interval, '1.2.3.4'::inet", &values)
        .unwrap();
    let types: Vec<_> = found.columns.iter().map(|column| format!("{:?}", column.data_type)).collect();
    let error = connection.query("SELECT 1/0", &[]).err();
    format!("{types:?}\n{:?}\n{error:?}", found.rows)
}

/// Connections, a transaction and a store that nobody closes.
fn leave_open() -> String {
    let connection = pg4::Connection::open(&address()).unwrap();
    connection.execute("CREATE TABLE IF NOT EXISTS left_open (n INT)", &[]).unwrap();
    connection.execute("BEGIN", &[]).unwrap();
    connection.execute("INSERT INTO left_open VALUES (1)", &[]).unwrap();
    let found = connection.query("SELECT count(*) FROM left_open", &[]).unwrap();
    let told = format!("{:?}", found.rows);
    std::mem::forget(connection);
    std::mem::forget(key_value::Store::open_default().unwrap());
    told
}

fn many() -> String {
    let opened: Vec<_> = (0..40).map(|_| redis::Connection::open(&variables::get("redis").unwrap())).collect();
    let good = opened.iter().filter(|connection| connection.is_ok()).count();
    let stores: Vec<_> = (0..300).map(|_| key_value::Store::open_default()).collect();
    format!("{good} {:?} {} {:?}",
        opened.into_iter().find_map(Result::err),
        stores.iter().filter(|store| store.is_ok()).count(),
        stores.into_iter().find_map(Result::err))
}

fn redis_kinds() -> String {
    let connection = redis::Connection::open(&variables::get("redis").unwrap()).unwrap();
    let word = |text: &str| redis::RedisParameter::Binary(text.into());
    let set = connection.execute("SET", &[word("k"), redis::RedisParameter::Int64(5)]);
    let more = connection.execute("MGET", &[word("k"), word("none")]);
    let number = connection.execute("INCR", &[word("k")]);
    let wrong = connection.sadd("k", &["a".into()]).err();
    let refused = connection.execute("SUBSCRIBE", &[word("news")]).err();
    format!("{set:?} {more:?} {number:?} {wrong:?} {refused:?}")
}

/// Values as large as one call may pass (the engine lets 2.7 million bytes through), and a key that is not.
fn large() -> String {
    let store = key_value::Store::open_default().unwrap();
    store.set("large", &vec![7; 2 << 20]).unwrap();
    let got = store.get("large").unwrap().unwrap();
    let wrong_key = store.set(&"k".repeat(100_000), b"").err();
    store.delete("large").unwrap();
    format!("{} {wrong_key:?}", got.len())
}

/// A value that is larger.
fn too_large() -> String {
    key_value::Store::open_default().unwrap().set("large", &vec![7; 33 << 20]).unwrap();
    "kept".into()
}
