//! What the API of docs/loadtest.md answers: the same code in all stacks that are written in Rust.

#![allow(dead_code)] // Actix has routes of its own

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub struct Hello {
    greeting: String,
    letters: usize,
}

#[derive(Deserialize)]
pub struct Numbers {
    numbers: Vec<i64>,
}

#[derive(Serialize)]
pub struct Sum {
    count: usize,
    sum: i64,
    largest: Option<i64>,
}

#[derive(Serialize)]
pub struct Refused {
    error: &'static str,
}

pub const NOT_FOUND: Refused = Refused { error: "not found" };
pub const NO_NUMBERS: Refused = Refused { error: "numbers must be a list of integers" };

pub fn hello(name: &str) -> Hello {
    Hello { greeting: format!("Hello, {name}!"), letters: name.chars().count() }
}

pub fn sum(given: &Numbers) -> Sum {
    Sum {
        count: given.numbers.len(),
        sum: given.numbers.iter().sum(),
        largest: given.numbers.iter().max().copied(),
    }
}

/// A status and the body in JSON, for a server without routes of its own.
pub fn answer(method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    match (method, path.strip_prefix("/hello/")) {
        ("GET", Some(name)) if !name.is_empty() && !name.contains('/') => {
            (200, json(&hello(&decoded(name))))
        }
        ("POST", None) if path == "/sum" => match serde_json::from_slice::<Numbers>(body) {
            Ok(given) => (200, json(&sum(&given))),
            Err(_) => (400, json(&NO_NUMBERS)),
        },
        _ => (404, json(&NOT_FOUND)),
    }
}

/// `%C3%A9` as `é`; what is no percent-encoding stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers")
}
