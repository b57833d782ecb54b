//! Calls itself without end: each call with a little on the stack, or with `large`, 64 KiB.
//!
//! A Wasm guest has two stacks. Return addresses and simple locals are on one of the engine's
//! own, which ends in "call stack exhausted". Arrays are in linear memory, on a stack of 1 MiB
//! that begins above address 0; below it there is no memory, so `large` ends in "out of bounds
//! memory access".
//!
//! Expected: a trap of these kinds. The host's own stack is never in danger.
//!
//! ```console
//! $ wasm-lab run misbehaving/stack_bomb.rs
//! ...
//! [exit status 134]
//! $ wasm-lab run misbehaving/stack_bomb.rs large
//! ...
//! [exit status 134]
//! ```

use std::hint::black_box;

fn deeper(depth: u64) -> u64 {
    black_box(depth) + if black_box(true) { deeper(depth + 1) } else { 0 }
}

fn deeper_with_array(depth: u64) -> u64 {
    let array = black_box([depth; 8192]);
    array[(depth % 8192) as usize] + if black_box(true) { deeper_with_array(depth + 1) } else { 0 }
}

fn main() {
    let large = std::env::args().nth(1).is_some_and(|word| word == "large");
    println!("{}", if large { deeper_with_array(0) } else { deeper(0) });
}
