//! Panics three calls deep, in a closure, with a formatted message.
//!
//! Expected: the panic's message and place; a backtrace with the functions' names.
//!
//! ```console
//! $ wasm-lab run misbehaving/panic.rs
//! ...
//! the larder holds 3 eggs, 12 are needed
//! ...
//! [exit status 134]
//! $ wasm-lab run misbehaving/panic.rs unwrap
//! ...
//! called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }
//! ...
//! [exit status 134]
//! ```

#[inline(never)]
fn bake(eggs: u32) -> u32 {
    let check = |needed: u32| {
        if eggs < needed {
            panic!("the larder holds {eggs} eggs, {needed} are needed");
        }
        eggs - needed
    };
    check(12)
}

#[inline(never)]
fn read_number(text: &str) -> u32 {
    text.parse().unwrap()
}

fn main() {
    let eggs = match std::env::args().nth(1) {
        Some(word) => read_number(&word),
        None => 3,
    };
    println!("{} eggs are left", bake(eggs));
}
