// Takes the place, counted from 1 and rounded down, for the index.
/// The percentile by nearest rank, of samples in any order; None where there is none.
pub fn percentile(samples: &[u64], percent: u32) -> Option<u64> {
    if samples.is_empty() || percent > 100 {
        return None;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    Some(sorted[sorted.len() * percent as usize / 100])
}
