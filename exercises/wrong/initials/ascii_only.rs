// Changes only the letters A to Z.
/// The first character of each word, in upper case.
pub fn initials(name: &str) -> String {
    name.split_whitespace().map(|word| word.chars().next().unwrap().to_ascii_uppercase()).collect()
}
