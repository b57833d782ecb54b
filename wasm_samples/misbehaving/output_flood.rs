//! Writes without end to standard output, or with `stderr` to standard error.
//!
//! It ends with status 3 when a write fails; `ignores_errors.rs` does not even do that.
//!
//! Expected: the output limit stops it.
//!
//! ```console
//! $ wasm-lab run --max-output 1MiB misbehaving/output_flood.rs | wc -c
//! ...
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

fn flood(mut out: impl Write) -> io::Result<()> {
    let lines = "All work and no play makes a guest a dull neighbour.\n".repeat(1024);
    loop {
        out.write_all(lines.as_bytes())?;
    }
}

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("stderr") => flood(io::stderr()),
        _ => flood(io::stdout()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}
