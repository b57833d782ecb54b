// Divides a float: short, large, and not exact.
/// Degrees as text, from thousandths of a degree.
pub fn degrees(thousandths: i64) -> String {
    format!("{:.3}", thousandths as f64 / 1000.0)
}
