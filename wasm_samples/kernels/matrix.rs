//! Products of square matrices: floating-point arithmetic and the order of memory accesses.
//!
//! A matrix of n × n numbers is a slice of n² numbers, row after row, as NumPy keeps them.
//!
//! ```console
//! $ wasm-lab run --invoke trace_of_product kernels/matrix.rs 100
//! 114675000...
//! $ wasm-lab test kernels/matrix.rs
//! ...
//! ```

fn check(a: &[f64], b: &[f64], n: usize) -> Result<(), String> {
    for (name, matrix) in [("a", a), ("b", b)] {
        if Some(matrix.len()) != n.checked_mul(n) {
            return Err(format!("{name} has {} numbers, not {n} × {n}", matrix.len()));
        }
    }
    Ok(())
}

/// a · b, with the loops in the order that walks memory forwards.
pub fn multiply(a: &[f64], b: &[f64], n: usize) -> Result<Vec<f64>, String> {
    check(a, b, n)?;
    let mut product = vec![0.0; n * n];
    for row in 0..n {
        let target = &mut product[row * n..][..n];
        for inner in 0..n {
            let factor = a[row * n + inner];
            for (sum, value) in target.iter_mut().zip(&b[inner * n..][..n]) {
                *sum += factor * value;
            }
        }
    }
    Ok(product)
}

/// a · b as the textbook writes it: down each column of b, which jumps through memory.
pub fn multiply_textbook(a: &[f64], b: &[f64], n: usize) -> Result<Vec<f64>, String> {
    check(a, b, n)?;
    let mut product = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..n {
            product[row * n + column] = (0..n).map(|inner| a[row * n + inner] * b[inner * n + column]).sum();
        }
    }
    Ok(product)
}

/// The sum of the diagonal of a · a, where a has i + j in row i and column j.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it.
pub fn trace_of_product(n: usize) -> f64 {
    let a: Vec<f64> = (0..n * n).map(|at| (at / n + at % n) as f64).collect();
    let product = multiply(&a, &a, n).expect("a is n × n");
    (0..n).map(|at| product[at * n + at]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        let product = multiply(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 2);
        assert_eq!(product, Ok(vec![19.0, 22.0, 43.0, 50.0]));
    }

    #[test]
    fn both_orders_agree() {
        // Whole numbers, so that every sum is exact in any order.
        let n = 17;
        let a: Vec<f64> = (0..n * n).map(|at| (at * 7 % 13) as f64).collect();
        let b: Vec<f64> = (0..n * n).map(|at| (at * 5 % 11) as f64 - 5.0).collect();
        assert_eq!(multiply(&a, &b, n), multiply_textbook(&a, &b, n));
    }

    // The trace is the sum over all i and j of (i + j)², which is
    // n²(n - 1)(2n - 1)/3 + n²(n - 1)²/2.
    #[test]
    fn trace_by_formula() {
        for n in [1u64, 2, 10, 100] {
            let formula = n * n * (n - 1) * (2 * n - 1) / 3 + n * n * (n - 1) * (n - 1) / 2;
            assert_eq!(trace_of_product(n as usize), formula as f64);
        }
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(multiply(&[1.0], &[1.0, 2.0], 1).unwrap_err().starts_with("b has 2 numbers"));
        assert!(multiply(&[], &[], usize::MAX).is_err());
        assert_eq!(multiply(&[], &[], 0), Ok(vec![]));
    }
}
