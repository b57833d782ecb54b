//! Never ends, and makes no host call in which it could be stopped.
//!
//! Expected: the deadline stops it.
//!
//! ```console
//! $ wasm-lab run --timeout 300ms misbehaving/endless_loop.rs
//! ...
//! [exit status 124]
//! ```

use std::hint::black_box;

fn main() {
    let mut number = 0u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}
