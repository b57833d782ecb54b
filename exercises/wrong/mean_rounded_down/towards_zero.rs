// Mends the overflow and the empty slice, and rounds towards 0.
/// The mean, rounded down.
pub fn mean(values: &[i32]) -> Option<i32> {
    let count = i64::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let mut sum = 0i64;
    for value in values {
        sum += *value as i64;
    }
    Some((sum / count) as i32)
}
