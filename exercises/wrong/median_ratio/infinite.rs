// Lets a time of 0 become a ratio that is infinite, and passes over what has no partner.
/// The median of the ratios within each turn.
pub fn median_ratio(first: &[u64], second: &[u64]) -> Option<f64> {
    let mut ratios: Vec<f64> = first.iter().zip(second).map(|(a, b)| *a as f64 / *b as f64).collect();
    if ratios.is_empty() {
        return None;
    }
    ratios.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let middle = ratios.len() / 2;
    if ratios.len() % 2 == 0 {
        Some((ratios[middle - 1] + ratios[middle]) / 2.0)
    } else {
        Some(ratios[middle])
    }
}
