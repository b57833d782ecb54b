//! Fibonacci numbers: the cost of calls (`fib`), and of almost nothing (`fib_iterative`).
//!
//! ```console
//! $ wasm-lab run --invoke fib kernels/fib.rs 30
//! 832040
//! $ wasm-lab test kernels/fib.rs
//! ...
//! ```

/// The n-th Fibonacci number by the slow definition: about 1.6^n calls.
pub fn fib(n: u32) -> u64 {
    if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) }
}

/// The n-th Fibonacci number in n additions; modulo 2^64 from n = 94 on.
pub fn fib_iterative(n: u32) -> u64 {
    let (mut current, mut next) = (0u64, 1u64);
    for _ in 0..n {
        (current, next) = (next, current.wrapping_add(next));
    }
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    // Sequence A000045 of the On-Line Encyclopedia of Integer Sequences.
    #[test]
    fn known_values() {
        assert_eq!([0, 1, 2, 10, 20, 30].map(fib), [0, 1, 1, 55, 6765, 832_040]);
        assert_eq!(fib_iterative(90), 2_880_067_194_370_816_120);
        assert_eq!(fib_iterative(93), 12_200_160_415_121_876_738);
    }

    #[test]
    fn both_ways_agree() {
        assert!((0..25).all(|n| fib(n) == fib_iterative(n)));
    }
}
