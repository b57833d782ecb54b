//! Prints what differs from run to run: the time of day, elapsed time, and random choices.
//!
//! Rust's `HashMap` draws two random numbers for each thread so that nobody can predict its
//! order; `RandomState` shows them at work. With a frozen clock and seeded randomness every
//! line is the same in every run. With either refused, Rust's standard library panics.
//!
//! Capabilities: clock and randomness, both real by default.
//!
//! ```console
//! $ wasm-lab run --clock frozen --random seed=7 programs/clock_and_random.rs > first.txt
//! $ wasm-lab run --clock frozen --random seed=7 programs/clock_and_random.rs > second.txt
//! $ cmp first.txt second.txt && grep -v ^hash first.txt
//! seconds since 1970: 946684800
//! elapsed: 0 ns
//! $ wasm-lab run --clock refused programs/clock_and_random.rs
//! ...
//! [exit status 134]
//! $ wasm-lab run --random refused programs/clock_and_random.rs
//! ...
//! [exit status 134]
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

fn main() {
    let start = Instant::now();
    let today = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock stands before 1970");
    println!("seconds since 1970: {}", today.as_secs());

    let colours = ["red", "orange", "yellow", "green", "blue", "indigo", "violet"];
    let map: HashMap<&str, usize> = colours.iter().map(|name| (*name, name.len())).collect();
    let order: Vec<&str> = map.keys().copied().collect();
    println!("hash map order: {}", order.join(" "));
    println!("hash of 1: {:016x}", RandomState::new().hash_one(1));

    println!("elapsed: {} ns", start.elapsed().as_nanos());
}
