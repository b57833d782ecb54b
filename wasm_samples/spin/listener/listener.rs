---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! The Redis trigger: called with each message of the channel `news`.
//!
//! Needs a Redis server, and the store `default`, where it keeps the last message.

use spin_sdk::key_value::Store;
use spin_sdk::redis_component;

#[redis_component]
fn on_message(message: Vec<u8>) -> anyhow::Result<()> {
    if message == b"panic" {
        panic!("as asked");
    }
    let store = Store::open_default()?;
    let count: u64 = store.get_json("count")?.unwrap_or(0);
    store.set_json("count", &(count + 1))?;
    store.set("last", &message)?;
    println!("message {}: {}", count + 1, String::from_utf8_lossy(&message));
    Ok(())
}
