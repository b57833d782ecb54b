// Misconception: a window is there if its first sample is.
pub fn window_mean(samples: &[f64], first: usize, count: usize) -> Option<f64> {
    if first >= samples.len() || count == 0 {
        return None;
    }
    let mut sum = 0.0;
    for index in first..first + count {
        sum += unsafe { *samples.as_ptr().add(index) };
    }
    Some(sum / count as f64)
}
