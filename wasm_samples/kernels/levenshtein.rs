//! Levenshtein distance, one row of the table at a time: integers, comparisons, one short array.
//!
//! ```console
//! $ wasm-lab run --invoke levenshtein kernels/levenshtein.rs kitten sitting
//! 3
//! $ wasm-lab test kernels/levenshtein.rs
//! ...
//! ```

/// How many characters have to be put in, left out or replaced to make `b` of `a`.
pub fn levenshtein(a: &str, b: &str) -> u32 {
    let a: Vec<u32> = a.chars().map(u32::from).collect();
    let b: Vec<u32> = b.chars().map(u32::from).collect();
    distance(&a, &b)
}

fn distance(a: &[u32], b: &[u32]) -> u32 {
    // Before each round, row[j] is the distance of what came of a from the first j of b.
    let mut row: Vec<u32> = (0..=b.len() as u32).collect();
    for (index, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        let mut left = index as u32 + 1;
        row[0] = left;
        for (y, cell) in b.iter().zip(&mut row[1..]) {
            let above = *cell;
            left = (diagonal + u32::from(x != y)).min(above + 1).min(left + 1);
            *cell = left;
            diagonal = above;
        }
    }
    row[b.len()]
}

/// Marsaglia's xorshift generator ("Xorshift RNGs", 2003) with shifts by 13, 17 and 5.
fn xorshift(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}

/// The distance of two texts of so many letters out of four, drawn by xorshift from 2463534242 on.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it.
pub fn levenshtein_of_noise(length: u32) -> u32 {
    let mut state = 2_463_534_242;
    let a: Vec<u32> = (0..length).map(|_| xorshift(&mut state) >> 30).collect();
    let b: Vec<u32> = (0..length).map(|_| xorshift(&mut state) >> 30).collect();
    distance(&a, &b)
}

#[cfg(test)]
mod tests {
    use super::*;

    // kitten and Saturday: Wikipedia, "Levenshtein distance" and "Wagner–Fischer algorithm";
    // rosettacode: Rosetta Code, "Levenshtein distance".
    #[test]
    fn published_distances() {
        assert_eq!(levenshtein("kitten", "sitting"), 3);
        assert_eq!(levenshtein("Saturday", "Sunday"), 3);
        assert_eq!(levenshtein("rosettacode", "raisethysword"), 8);
        assert_eq!(levenshtein("edocattesor", "drowsyhtesiar"), 8);
    }

    #[test]
    fn characters_not_bytes() {
        assert_eq!(levenshtein("naïve", "naive"), 1);
        assert_eq!(levenshtein("😀", ""), 1);
        assert_eq!(levenshtein("", "日本語"), 3);
        assert_eq!(levenshtein("", ""), 0);
    }

    // The first number that Marsaglia's paper has for this seed.
    #[test]
    fn noise_is_as_published() {
        assert_eq!(xorshift(&mut 2_463_534_242), 723_471_715);
    }

    #[test]
    fn is_a_metric() {
        let words = ["", "a", "abc", "acb", "bca", "abcabc", "xyz"];
        for a in words {
            for b in words {
                assert_eq!(levenshtein(a, b) == 0, a == b);
                assert_eq!(levenshtein(a, b), levenshtein(b, a));
                for c in words {
                    assert!(levenshtein(a, c) <= levenshtein(a, b) + levenshtein(b, c));
                }
            }
        }
    }
}
