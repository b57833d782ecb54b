---
[dependencies]
serde = { version = "1", features = ["derive"] }
serde_json = "1"
---
//! Reads orders as JSON from standard input and writes each customer's total as JSON.
//!
//! Shows crates.io dependencies, procedural macros (serde's `derive`) and an error that says
//! where in the input it is. Amounts are whole cents, because sums of money in binary
//! fractions are wrong in the last digit.
//!
//! Capabilities: none beyond standard input.
//!
//! ```console
//! $ wasm-lab run programs/json_transform.rs < texts/orders.json
//! [
//!   {
//!     "customer": "Ada",
//!     "orders": 2,
//!     "cents": 5497
//!   },
//!   {
//!     "customer": "Grace",
//!     "orders": 1,
//!     "cents": 1250
//!   }
//! ]
//! $ echo '[{"customer": "Ada"}]' | wasm-lab run programs/json_transform.rs
//! json_transform: missing field `items` at line 1 column 20
//! [exit status 1]
//! ```

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;

#[derive(Deserialize)]
struct Order {
    customer: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    cents: u64,
    #[serde(default = "one")]
    quantity: u64,
}

fn one() -> u64 {
    1
}

#[derive(Serialize)]
struct Total {
    customer: String,
    orders: usize,
    cents: u64,
}

fn totals(orders: Vec<Order>) -> Vec<Total> {
    let mut by_customer: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for order in orders {
        let sum: u64 = order.items.iter().map(|item| item.cents * item.quantity).sum();
        let entry = by_customer.entry(order.customer).or_default();
        entry.0 += 1;
        entry.1 += sum;
    }
    by_customer
        .into_iter()
        .map(|(customer, (orders, cents))| Total { customer, orders, cents })
        .collect()
}

fn main() -> ExitCode {
    match serde_json::from_reader(std::io::stdin().lock()) {
        Ok(orders) => {
            println!("{}", serde_json::to_string_pretty(&totals(orders)).expect("totals are plain data"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("json_transform: {error}");
            ExitCode::FAILURE
        }
    }
}
