//! Ends with the status that its argument says, by `std::process::exit`.
//!
//! Expected: that status, and everything written before; no destructor runs.
//!
//! ```console
//! $ wasm-lab run misbehaving/exit_code.rs 0
//! before
//! $ wasm-lab run misbehaving/exit_code.rs 42
//! before
//! [exit status 42]
//! $ wasm-lab run misbehaving/exit_code.rs 200
//! before
//! [exit status 200]
//! ```

struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        println!("dropped");
    }
}

fn main() {
    let _loud = Loud;
    println!("before");
    let status = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(1);
    std::process::exit(status);
}
