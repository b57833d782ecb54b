---
[dependencies]
anyhow = "1"
futures = "0.3"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
spin-sdk = "5.2"
---
//! A component that fails in every way that one can: the host must answer 500 and go on.
//!
//! /fine is well. /panic, /abort, /bounds, /stack and /exit trap; /loop never ends; /memory takes all it
//! can get; /error returns an error; /late traps when the answer has begun; /silent never answers.

use futures::SinkExt;
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};
use spin_sdk::http_component;

#[http_component]
async fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    match path.trim_start_matches('/').split(['?', '/']).next().unwrap_or_default() {
        "panic" => panic!("as asked"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "bounds" => {
            let far = std::hint::black_box(0xFFFF_0000_usize) as *const u8;
            let read = unsafe { far.read_volatile() };
            println!("read {read}");
        }
        "stack" => println!("{}", recurse(std::hint::black_box(1))),
        "loop" => loop {
            std::hint::black_box(0);
        },
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1_u8; 1 << 20]);
            }
        }
        "silent" => return,
        "late" => {
            let mut out = begin(response_out, 200);
            out.send(b"the beginning".to_vec()).await.ok();
            panic!("after the beginning");
        }
        "error" => {
            eprintln!("an error of its own");
            begin(response_out, 500).send(b"failed\n".to_vec()).await.ok();
            return;
        }
        _ => {
            begin(response_out, 200).send(b"fine\n".to_vec()).await.ok();
            return;
        }
    }
    unreachable!("every other way has ended");
}

fn begin(
    response_out: ResponseOutparam,
    status: u16,
) -> impl futures::Sink<Vec<u8>, Error = impl std::fmt::Debug> + Unpin {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).unwrap();
    let out = response.take_body();
    response_out.set(response);
    Box::pin(out)
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    recurse(here[depth as usize % 64] + 1) + here[0]
}
