//! The smallest program: one line on standard output.
//!
//! Capabilities: none.
//!
//! ```console
//! $ wasm-lab run programs/hello.rs
//! Hello from the sandbox!
//! ```

fn main() {
    println!("Hello from the sandbox!");
}
