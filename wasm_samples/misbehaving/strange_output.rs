//! Writes bytes that are no text: invalid UTF-8, a NUL, half a character, terminal commands.
//!
//! Expected: on a pipe exactly these bytes; in a notebook, text with replacement characters.
//! Nothing is waited for when the output ends in the middle of a character.
//!
//! ```console
//! $ wasm-lab run misbehaving/strange_output.rs | od -A n -t x1
//!  ff fe 00 1b 5b 33 31 6d 72 65 64 1b 5b 30 6d 0d
//!  62 61 63 6b 0a e6 97
//! ```

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(b"\xff\xfe\0\x1b[31mred\x1b[0m\rback\n\xe6\x97")?;
    out.flush()
}
