//! Reads through pointers that it made up, which Rust allows in `unsafe` code.
//!
//! Address 0 is ordinary memory in Wasm, so a null pointer is not stopped there; only what lies
//! beyond the linear memory is. Nothing of the host's memory can be reached either way.
//!
//! Expected: `null` prints a byte of its own memory; without it, the trap "out of bounds memory
//! access". A slice with a wrong index panics before any of this: `slice`.
//!
//! ```console
//! $ wasm-lab run misbehaving/out_of_bounds.rs null
//! the byte at address 16 is 0
//! $ wasm-lab run misbehaving/out_of_bounds.rs
//! ...
//! [exit status 134]
//! $ wasm-lab run misbehaving/out_of_bounds.rs slice
//! ...
//! index out of bounds: the len is 3 but the index is 7
//! ...
//! [exit status 134]
//! ```

use std::hint::black_box;

fn byte_at(address: usize) -> u8 {
    // SAFETY: none; that is what this program shows.
    unsafe { std::ptr::read_volatile(std::ptr::without_provenance::<u8>(black_box(address))) }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        // Not 0 itself: a compiler may turn a read of null into a trap of its own.
        Some("null") => println!("the byte at address 16 is {}", byte_at(16)),
        Some("slice") => println!("{}", [1, 2, 3][black_box(7)]),
        _ => println!("the byte at the end is {}", byte_at(0xffff_fff0)),
    }
}
