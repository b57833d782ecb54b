//! Prime numbers by the sieve of Eratosthenes: simple steps over memory.
//!
//! ```console
//! $ wasm-lab run --invoke count_primes kernels/sieve.rs 1000000
//! 78498
//! $ wasm-lab test kernels/sieve.rs
//! ...
//! ```

/// For each number below `limit`, whether it is prime.
fn sieve(limit: u32) -> Vec<bool> {
    let limit = limit as usize;
    let mut prime = vec![true; limit];
    prime[..limit.min(2)].fill(false);
    let mut number = 2;
    while number * number < limit {
        if prime[number] {
            for multiple in (number * number..limit).step_by(number) {
                prime[multiple] = false;
            }
        }
        number += 1;
    }
    prime
}

/// How many primes are below `limit`. Takes `limit` bytes of memory.
pub fn count_primes(limit: u32) -> u32 {
    sieve(limit).into_iter().map(u32::from).sum()
}

/// The primes below `limit`, in ascending order.
pub fn primes(limit: u32) -> Vec<u32> {
    (0..limit).zip(sieve(limit)).filter(|(_, prime)| *prime).map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The number of primes below 10^n: sequence A006880 of the On-Line Encyclopedia of
    // Integer Sequences.
    #[test]
    fn known_counts() {
        let powers = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
        assert_eq!(powers.map(count_primes), [0, 4, 25, 168, 1_229, 9_592, 78_498, 664_579]);
    }

    #[test]
    fn limit_is_not_included() {
        assert_eq!([0, 1, 2, 3, 4, 5, 9, 10, 25, 26].map(count_primes), [0, 0, 0, 1, 2, 2, 4, 4, 9, 9]);
    }

    // Sequence A000040.
    #[test]
    fn first_primes() {
        assert_eq!(primes(48), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
        assert!(primes(0).is_empty());
    }
}
