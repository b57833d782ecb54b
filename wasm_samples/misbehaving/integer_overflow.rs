//! Adds 1 to the largest `i32`.
//!
//! Expected: with `--profile dev` a panic; optimised, Rust does not check and the sum wraps to
//! the smallest number. Neither is a trap of Wasm itself.
//!
//! ```console
//! $ wasm-lab run misbehaving/integer_overflow.rs
//! 2147483647 + 1 = -2147483648
//! $ wasm-lab run --profile dev misbehaving/integer_overflow.rs
//! ...
//! attempt to add with overflow
//! ...
//! [exit status 134]
//! ```

use std::hint::black_box;

fn main() {
    let largest = black_box(i32::MAX);
    println!("{largest} + 1 = {}", largest + 1);
}
