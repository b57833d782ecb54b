//! The task of `task.md` as functions.
//!
//! ```console
//! $ wasm-lab run --invoke count_primes languages/functions.rs 10000
//! 1229
//! ```

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

/// How many primes there are up to and including n.
pub fn count_primes(n: u32) -> u32 {
    (2..=n).filter(|&k| is_prime(k)).count() as u32
}

/// How many runs of bytes that are no white space a text has.
pub fn count_words(text: &str) -> u32 {
    let mut found = 0;
    let mut inside = false;
    for byte in text.bytes() {
        let space = byte == b' ' || (9..=13).contains(&byte);
        found += u32::from(!space && !inside);
        inside = !space;
    }
    found
}
