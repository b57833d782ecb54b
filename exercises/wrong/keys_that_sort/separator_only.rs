// Misconception: a sign between name and minute keeps stations apart, whatever their names are.
pub fn prefix(station: &str) -> String {
    format!("{station}/")
}

pub fn key(station: &str, minute: u32) -> String {
    format!("{station}/{minute:010}")
}
