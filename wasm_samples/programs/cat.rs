//! Copies the files named in its arguments to standard output; without arguments, standard input.
//!
//! Shows what a refused file looks like from inside: an ordinary error that the program can
//! report. A file outside every opened folder cannot even be named.
//!
//! Capabilities: `--dir-ro HOST::GUEST` for each folder to read from.
//!
//! ```console
//! $ echo 'from standard input' | wasm-lab run programs/cat.rs
//! from standard input
//! $ wasm-lab run --dir-ro programs::/here programs/cat.rs /here/hello.rs | tail -n 3
//! fn main() {
//!     println!("Hello from the sandbox!");
//! }
//! $ wasm-lab run programs/cat.rs /here/hello.rs
//! cat: /here/hello.rs: No such file or directory (os error 44)
//! [exit status 1]
//! ```

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::process::ExitCode;

fn copy(mut from: impl Read) -> io::Result<()> {
    let mut out = io::stdout().lock();
    io::copy(&mut from, &mut out)?;
    out.flush()
}

fn main() -> ExitCode {
    let mut paths = std::env::args().skip(1).peekable();
    let mut status = ExitCode::SUCCESS;
    if paths.peek().is_none() {
        if let Err(error) = copy(io::stdin()) {
            eprintln!("cat: {error}");
            status = ExitCode::FAILURE;
        }
    }
    for path in paths {
        if let Err(error) = File::open(&path).and_then(|file| copy(BufReader::new(file))) {
            eprintln!("cat: {path}: {error}");
            status = ExitCode::FAILURE;
        }
    }
    status
}
