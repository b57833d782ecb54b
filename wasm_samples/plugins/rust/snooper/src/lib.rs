//! A hostile plugin, in ordinary Rust: it tries what its input names and says what it got.
//!
//! `files PATH`, `write PATH`, `environment`, `arguments`, `clock`, `random`, `connect HOST:PORT`,
//! `resolve HOST`, `input`, `sleep SECONDS`, `print BYTES`, `panic`, `exit`, `allocate BYTES`,
//! `recurse`, `remember`. What stops each stands in the README beside the hostile plugins.
#![cfg(target_family = "wasm")]

wit_bindgen::generate!({ path: "../../wit", world: "plugin" });

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, hint, io, process, thread};

use exports::wasm_lab::plugins::transform::{Content, Description, Failure, Guest};

struct Snooper;

/// How often this very instance was called.
static CALLS: AtomicU64 = AtomicU64::new(0);

impl Guest for Snooper {
    fn describe() -> Description {
        Description {
            name: "snooper".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Tries what it may not.".into(),
            accepts: vec!["text/plain".into()],
            gives: "text/plain".into(),
            options: vec![],
        }
    }

    fn apply(input: Content, _options: Vec<(String, String)>) -> Result<Content, Failure> {
        let Content::Text(order) = input else {
            return Err(Failure::BadInput("it takes text".into()));
        };
        let (what, about) = order.split_once(' ').unwrap_or((&order, ""));
        attempt(what, about).map(Content::Text).map_err(Failure::BadInput)
    }
}

fn attempt(what: &str, about: &str) -> Result<String, String> {
    match what {
        "files" => fs::read_to_string(about).map_err(why),
        "write" => fs::write(about, "written").map(|()| "written".into()).map_err(why),
        "environment" => Ok(env::vars().map(|(name, value)| format!("{name}={value}\n")).collect()),
        "arguments" => Ok(env::args().skip(1).collect::<Vec<_>>().join(" ")),
        "clock" => Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_err(why)?.as_nanos().to_string()),
        "random" => Ok(format!("{:?}", HashMap::<u8, u8>::new().hasher())),
        "connect" => TcpStream::connect(about).map(|_| "connected".into()).map_err(why),
        "resolve" => about.to_socket_addrs().map(|found| format!("{:?}", found.collect::<Vec<_>>())).map_err(why),
        "input" => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(why)?;
            Ok(text)
        }
        "sleep" => {
            thread::sleep(Duration::from_secs_f64(about.parse().map_err(why)?));
            Ok("slept".into())
        }
        "print" => {
            let mut left: usize = about.parse().map_err(why)?;
            let line = [b'x'; 1024];
            while left > 0 {
                let size = left.min(line.len());
                io::stdout().write_all(&line[..size]).map_err(why)?;
                left -= size;
            }
            Ok("printed".into())
        }
        "panic" => panic!("as it was told to"),
        "exit" => process::exit(3),
        "allocate" => {
            let bytes = vec![1_u8; about.parse().map_err(why)?];
            Ok(hint::black_box(bytes).len().to_string())
        }
        "recurse" => Ok(deeper(1).to_string()),
        "remember" => Ok((CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string()),
        _ => Err(format!("{what:?} is nothing that it tries")),
    }
}

fn why(error: impl Display) -> String {
    error.to_string()
}

#[expect(unconditional_recursion, reason = "what it is for")]
fn deeper(depth: u64) -> u64 {
    let here = hint::black_box([depth; 64]);
    deeper(depth + 1).wrapping_add(here[0])
}

export!(Snooper);
