//! Sorting numbers by a quicksort and a merge sort of our own: comparisons, branches, moves.
//!
//! For learning and measuring; `sort` and `sort_unstable` of the standard library are what to use.
//!
//! ```console
//! $ wasm-lab run --invoke quicksort_noise kernels/sort.rs 1000
//! 2572816412
//! $ wasm-lab run --invoke merge_sort_noise kernels/sort.rs 1000
//! 2572816412
//! $ wasm-lab test kernels/sort.rs
//! ...
//! ```

/// Up to so many numbers are sorted by insertion.
const SHORT: usize = 16;

/// The numbers in ascending order, by quicksort: median of three, Hoare's partition.
pub fn quicksort(numbers: &[i32]) -> Vec<i32> {
    let mut sorted = numbers.to_vec();
    quicksort_part(&mut sorted);
    sorted
}

fn quicksort_part(mut part: &mut [i32]) {
    while part.len() > SHORT {
        let middle = partition(part);
        let (low, high) = part.split_at_mut(middle);
        // The call goes to the shorter side, so that calls nest no deeper than log2 of the length.
        if low.len() < high.len() {
            quicksort_part(low);
            part = high;
        } else {
            quicksort_part(high);
            part = low;
        }
    }
    insertion_sort(part);
}

/// Puts the numbers up to the pivot before those from it on; gives where the second part begins.
fn partition(part: &mut [i32]) -> usize {
    let last = part.len() - 1;
    let (a, b, c) = (part[0], part[last / 2], part[last]);
    let pivot = a.min(b).max(a.max(b).min(c));
    let (mut left, mut right) = (0, last);
    loop {
        while part[left] < pivot {
            left += 1;
        }
        while part[right] > pivot {
            right -= 1;
        }
        if left >= right {
            // With the pivot in the first place, nothing would be before the second part.
            return left.max(1);
        }
        part.swap(left, right);
        left += 1;
        right -= 1;
    }
}

fn insertion_sort(part: &mut [i32]) {
    for next in 1..part.len() {
        let number = part[next];
        let mut at = next;
        while at > 0 && part[at - 1] > number {
            part[at] = part[at - 1];
            at -= 1;
        }
        part[at] = number;
    }
}

/// The numbers in ascending order, by merging runs of 1, 2, 4 … numbers.
pub fn merge_sort(numbers: &[i32]) -> Vec<i32> {
    let mut from = numbers.to_vec();
    let mut to = vec![0; numbers.len()];
    let mut run = 1;
    while run < from.len() {
        for start in (0..from.len()).step_by(2 * run) {
            let middle = (start + run).min(from.len());
            let end = (start + 2 * run).min(from.len());
            merge(&from[start..middle], &from[middle..end], &mut to[start..end]);
        }
        std::mem::swap(&mut from, &mut to);
        run *= 2;
    }
    from
}

fn merge(left: &[i32], right: &[i32], to: &mut [i32]) {
    let (mut i, mut j) = (0, 0);
    for place in to {
        if j == right.len() || (i < left.len() && left[i] <= right[j]) {
            *place = left[i];
            i += 1;
        } else {
            *place = right[j];
            j += 1;
        }
    }
}

/// So many numbers by Marsaglia's xorshift generator ("Xorshift RNGs", 2003), from 2463534242 on.
fn noise(count: u32) -> Vec<i32> {
    let mut state: u32 = 2_463_534_242;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as i32
    };
    (0..count).map(|_| next()).collect()
}

/// A number that depends on each number and its place: 31 times the sum so far, and the next.
fn checksum(numbers: &[i32]) -> u32 {
    numbers.iter().fold(0, |sum, &number| u32::wrapping_add(sum.wrapping_mul(31), number as u32))
}

/// The checksum of so many random numbers, sorted by `quicksort`.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it.
pub fn quicksort_noise(count: u32) -> u32 {
    checksum(&quicksort(&noise(count)))
}

/// The checksum of so many random numbers, sorted by `merge_sort`.
pub fn merge_sort_noise(count: u32) -> u32 {
    checksum(&merge_sort(&noise(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The first number that Marsaglia's paper has for this seed; the checksum by Python's sorted().
    #[test]
    fn known_numbers() {
        assert_eq!(noise(1), [723_471_715]);
        assert_eq!([quicksort_noise(1_000), merge_sort_noise(1_000)], [2_572_816_412; 2]);
    }

    // The patterns on which a quicksort goes wrong, against the standard library's sort.
    #[test]
    fn equals_the_standard_library() {
        let n = 3_000;
        let patterns: [Vec<i32>; 9] = [
            vec![],
            vec![7],
            vec![i32::MAX, i32::MIN, 0, i32::MIN, i32::MAX],
            (0..n).collect(),
            (0..n).rev().collect(),
            vec![5; n as usize],
            (0..n).map(|at| at % 2).collect(),
            (0..n).map(|at| at.min(n - at)).collect(),
            noise(n as u32),
        ];
        for numbers in patterns {
            let mut expected = numbers.clone();
            expected.sort();
            assert_eq!(quicksort(&numbers), expected);
            assert_eq!(merge_sort(&numbers), expected);
        }
        for length in 0..100 {
            let numbers: Vec<i32> = noise(length).into_iter().map(|number| number % 10).collect();
            let mut expected = numbers.clone();
            expected.sort();
            assert_eq!(quicksort(&numbers), expected);
            assert_eq!(merge_sort(&numbers), expected);
        }
    }
}
