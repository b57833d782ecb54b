//! Asks for 2,000,000,000 bytes at once, first politely, then as `vec!` does.
//!
//! Expected: the polite way gets an error to handle; the other stops the program, because Rust
//! ends a program that is out of memory. No memory of that size is ever in use.
//!
//! ```console
//! $ wasm-lab run --memory 64MiB misbehaving/huge_allocation.rs
//! politely: memory allocation failed because the memory allocator returned an error
//! ...
//! [exit status 134]
//! ```

use std::hint::black_box;

const SIZE_BYTES: usize = 2_000_000_000;

fn main() {
    let mut polite: Vec<u8> = Vec::new();
    match polite.try_reserve_exact(SIZE_BYTES) {
        Ok(()) => println!("politely: granted"),
        Err(error) => println!("politely: {error}"),
    }
    drop(black_box(polite));
    let greedy: Vec<u8> = Vec::with_capacity(SIZE_BYTES);
    println!("got {} bytes", black_box(greedy).capacity());
}
