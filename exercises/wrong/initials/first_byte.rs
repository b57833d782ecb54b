// Takes the first byte of each word for its first character.
/// The first character of each word, in upper case.
pub fn initials(name: &str) -> String {
    let mut result = String::new();
    for word in name.split_whitespace() {
        result.push_str(&word[..1].to_uppercase());
    }
    result
}
