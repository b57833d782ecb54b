//! A plugin as a program of its own: one request a line on standard input, one answer a line.
//!
//! Request: `{"input": CONTENT, "options": [[NAME, VALUE], …]}`. Answer: `{"output": CONTENT}` or
//! `{"failure": {"case": "bad-input", "why": "…"}}`. CONTENT is `{"text": "…"}` or `{"binary": BASE64}`,
//! because JSON has no bytes.

use std::io::{self, BufRead, Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// What goes in and comes out; the same two cases as in the WIT.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    Binary(Vec<u8>),
}

impl Content {
    /// The text, or the bytes if they are one.
    pub fn text(&self) -> Result<&str, Failure> {
        match self {
            Content::Text(text) => Ok(text),
            Content::Binary(bytes) => {
                std::str::from_utf8(bytes).map_err(|error| Failure::input(format!("no UTF-8: {error}")))
            }
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Text(text) => text.as_bytes(),
            Content::Binary(bytes) => bytes,
        }
    }
}

/// Why there is no output; the same two cases as in the WIT.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "case", rename_all = "kebab-case")]
pub enum Failure {
    BadOption { about: String, why: String },
    BadInput { why: String },
}

impl Failure {
    pub fn option(about: &str, why: impl ToString) -> Self {
        Failure::BadOption { about: about.into(), why: why.to_string() }
    }

    pub fn input(why: impl ToString) -> Self {
        Failure::BadInput { why: why.to_string() }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Packed {
    Text(String),
    Binary(String),
}

#[derive(Deserialize)]
struct Request {
    input: Packed,
    #[serde(default)]
    options: Vec<(String, String)>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Output(Packed),
    Failure(Failure),
}

/// Answer each line until there are no more.
pub fn serve(apply: impl Fn(&Content, &[(String, String)]) -> Result<Content, Failure>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let input = match request.input {
            Packed::Text(text) => Content::Text(text),
            Packed::Binary(text) => Content::Binary(BASE64_STANDARD.decode(text).map_err(io::Error::other)?),
        };
        let answer = match apply(&input, &request.options) {
            Ok(Content::Text(text)) => Answer::Output(Packed::Text(text)),
            Ok(Content::Binary(bytes)) => Answer::Output(Packed::Binary(BASE64_STANDARD.encode(bytes))),
            Err(failure) => Answer::Failure(failure),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
