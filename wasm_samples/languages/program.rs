//! The task of `task.md` as a program.
//!
//! ```console
//! $ printf 'one two' | wasm-lab run languages/program.rs 1000
//! primes: 168
//! words: 2
//! $ wasm-lab run languages/program.rs many
//! many is no number
//! [exit status 2]
//! ```

use std::io::Read;

fn is_prime(k: u32) -> bool {
    let mut d = 2;
    while d * d <= k {
        if k % d == 0 {
            return false;
        }
        d += 1;
    }
    k >= 2
}

fn count_primes(n: u32) -> u32 {
    (2..=n).filter(|&k| is_prime(k)).count() as u32
}

fn count_words(text: &[u8]) -> u32 {
    let mut found = 0;
    let mut inside = false;
    for &byte in text {
        let space = byte == b' ' || (9..=13).contains(&byte);
        found += u32::from(!space && !inside);
        inside = !space;
    }
    found
}

fn main() {
    let n = match std::env::args().nth(1).map(|given| given.parse().map_err(|_| given)) {
        None => 10000,
        Some(Ok(n)) => n,
        Some(Err(given)) => {
            eprintln!("{given} is no number");
            std::process::exit(2);
        }
    };
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).expect("standard input can be read");
    println!("primes: {}\nwords: {}", count_primes(n), count_words(&text));
}
