//! Writes one line again and again, for ever, whatever the host answers.
//!
//! A guest is free to ignore every error, so an error alone stops nothing.
//!
//! Expected: the output limit or the deadline stops it; when the reader of its output goes
//! away (`| head`), it still ends.
//!
//! ```console
//! $ wasm-lab run --max-output 64KiB --timeout 5s misbehaving/ignores_errors.rs > out.txt
//! ...
//! [exit status 134]
//! $ wasm-lab run --timeout 5s misbehaving/ignores_errors.rs | head -n 1
//! are you still there?
//! ...
//! ```

use std::io::{self, Write};

fn main() {
    loop {
        let _ = io::stdout().write_all(b"are you still there?\n");
        let _ = io::stdout().flush();
    }
}
