//! Divides by zero, or with `min`, the smallest number by -1.
//!
//! Expected: Rust checks both and panics, in every profile. Wasm's own traps for them are in
//! `traps.wat`.
//!
//! ```console
//! $ wasm-lab run misbehaving/divide_by_zero.rs
//! ...
//! attempt to divide by zero
//! ...
//! [exit status 134]
//! $ wasm-lab run misbehaving/divide_by_zero.rs min
//! ...
//! attempt to divide with overflow
//! ...
//! [exit status 134]
//! ```

use std::hint::black_box;

fn main() {
    let (a, b) = match std::env::args().nth(1).as_deref() {
        Some("min") => (i32::MIN, -1),
        _ => (1, 0),
    };
    println!("{}", black_box(a) / black_box(b));
}
