//! A plugin as a program of its own: one request a line on standard input, one answer a line.
//!
//! Request: `{"input": BASE64, "options": [[NAME, VALUE], …]}`. Answer: `{"output": BASE64}` or
//! `{"failure": {"case": "bad-input", "about": "", "why": "…"}}`. Base64, because JSON has no bytes.

use std::io::{self, BufRead, Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

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

#[derive(Deserialize)]
struct Request {
    input: String,
    #[serde(default)]
    options: Vec<(String, String)>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Output(String),
    Failure(Failure),
}

/// Answer each line until there are no more.
pub fn serve(apply: impl Fn(&[u8], &[(String, String)]) -> Result<Vec<u8>, Failure>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let input = BASE64_STANDARD.decode(request.input).map_err(io::Error::other)?;
        let answer = match apply(&input, &request.options) {
            Ok(output) => Answer::Output(BASE64_STANDARD.encode(output)),
            Err(failure) => Answer::Failure(failure),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
