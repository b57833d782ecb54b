// Adds as f32, which holds about seven digits.
/// The mean, rounded down.
pub fn mean(values: &[i32]) -> Option<i32> {
    if values.is_empty() {
        return None;
    }
    let mut total = 0.0f32;
    for value in values {
        total += *value as f32;
    }
    Some((total / values.len() as f32).floor() as i32)
}
