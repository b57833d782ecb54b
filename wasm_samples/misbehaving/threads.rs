//! Starts a thread, which `wasm32-wasip1` does not have.
//!
//! Expected: `spawn` panics; `Builder::spawn` gives an error to handle.
//!
//! ```console
//! $ wasm-lab run misbehaving/threads.rs politely
//! no thread: ...
//! $ wasm-lab run misbehaving/threads.rs
//! ...
//! failed to spawn thread: ...
//! ...
//! [exit status 134]
//! ```

use std::thread;

fn main() {
    if std::env::args().nth(1).is_some_and(|word| word == "politely") {
        match thread::Builder::new().spawn(|| 6 * 7) {
            Ok(handle) => println!("a thread said {:?}", handle.join()),
            Err(error) => println!("no thread: {error}"),
        }
        return;
    }
    println!("a thread said {:?}", thread::spawn(|| 6 * 7).join());
}
