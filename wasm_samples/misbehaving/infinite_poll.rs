//! Sleeps a thousandth of a second, again and again, for ever.
//!
//! Expected: the deadline ends it, though it spends nearly all its time in the host.
//!
//! ```console
//! $ wasm-lab run --timeout 300ms misbehaving/infinite_poll.rs
//! ...
//! [exit status 124]
//! ```

use std::time::Duration;

fn main() {
    loop {
        std::thread::sleep(Duration::from_millis(1));
    }
}
