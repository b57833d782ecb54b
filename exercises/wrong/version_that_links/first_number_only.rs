// Misconception: versions fit if their first numbers agree, below 1.0 as above.
pub fn newest_that_fits(wanted: &str, offered: &[String]) -> Option<String> {
    fn numbers(version: &str) -> Vec<u32> {
        version.split('.').map(|part| part.parse().unwrap()).collect()
    }
    if offered.iter().any(|version| version == wanted) {
        return Some(wanted.to_string());
    }
    offered
        .iter()
        .filter(|version| numbers(version)[0] == numbers(wanted)[0])
        .max_by_key(|version| numbers(version))
        .cloned()
}
