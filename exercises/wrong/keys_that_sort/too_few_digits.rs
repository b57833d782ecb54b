// Misconception: five digits will do, since nobody tries later minutes.
pub fn prefix(station: &str) -> String {
    format!("{}:{station}/", station.len())
}

pub fn key(station: &str, minute: u32) -> String {
    format!("{}{minute:05}", prefix(station))
}
