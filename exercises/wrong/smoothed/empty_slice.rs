// Takes 1 from the length of a slice that may be empty.
/// The readings, each but the first and the last replaced by the mean of three.
pub fn smoothed(samples: &[f64]) -> Vec<f64> {
    let mut result = samples.to_vec();
    for i in 1..samples.len() - 1 {
        result[i] = (samples[i - 1] + samples[i] + samples[i + 1]) / 3.0;
    }
    result
}
