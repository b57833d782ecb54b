//! Sleeps for an hour in one host call.
//!
//! Expected: the deadline ends it although no guest code runs meanwhile.
//!
//! ```console
//! $ wasm-lab run --timeout 300ms misbehaving/sleeper.rs
//! going to sleep
//! ...
//! [exit status 124]
//! ```

use std::time::Duration;

fn main() {
    println!("going to sleep");
    std::thread::sleep(Duration::from_secs(3600));
    println!("slept well");
}
