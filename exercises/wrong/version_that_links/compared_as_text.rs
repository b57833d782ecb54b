// Misconception: the newest version is the largest text.
pub fn newest_that_fits(wanted: &str, offered: &[String]) -> Option<String> {
    if offered.iter().any(|version| version == wanted) {
        return Some(wanted.to_string());
    }
    let track = |version: &str| {
        let parts: Vec<&str> = version.split('.').collect();
        let count = if parts[0] != "0" { 1 } else if parts[1] != "0" { 2 } else { 3 };
        parts[..count].join(".")
    };
    offered.iter().filter(|version| track(version) == track(wanted)).max().cloned()
}
