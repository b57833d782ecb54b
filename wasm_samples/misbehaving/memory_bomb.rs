//! Takes memory in pieces of 1 MiB, and writes to each, until it gets no more.
//!
//! Expected: the memory limit stops it; how far it came stands on standard error.
//!
//! ```console
//! $ wasm-lab run --memory 64MiB misbehaving/memory_bomb.rs
//! ...
//! [exit status 134]
//! ```

fn main() {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    loop {
        pieces.push(vec![1; 1 << 20]);
        if pieces.len() % 16 == 0 {
            eprintln!("{} MiB", pieces.len());
        }
    }
}
