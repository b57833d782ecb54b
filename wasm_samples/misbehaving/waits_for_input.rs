//! Waits for a line on standard input, which may never come.
//!
//! Expected: with no standard input it reads the end at once; waiting for a terminal or a pipe,
//! the deadline ends it.
//!
//! ```console
//! $ wasm-lab run misbehaving/waits_for_input.rs < /dev/null
//! 0 bytes
//! $ sleep 5 | wasm-lab run --timeout 300ms misbehaving/waits_for_input.rs
//! ...
//! [exit status 124]
//! ```

fn main() {
    let mut line = String::new();
    let size = std::io::stdin().read_line(&mut line).expect("a line of text");
    println!("{size} bytes");
}
