// Divides the medians, which may come from different turns.
/// The median of the ratios within each turn.
pub fn median_ratio(first: &[u64], second: &[u64]) -> Option<f64> {
    if first.is_empty() || first.len() != second.len() || second.contains(&0) {
        return None;
    }
    let median = |times: &[u64]| {
        let mut sorted: Vec<f64> = times.iter().map(|time| *time as f64).collect();
        sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 0 { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] }
    };
    Some(median(first) / median(second))
}
