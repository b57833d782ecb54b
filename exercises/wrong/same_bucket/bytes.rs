// Hashes bytes of UTF-8, which are the same only for ASCII.
/// In which bucket a name belongs: the same as in JavaScript.
pub fn bucket(name: &str, buckets: u32) -> u32 {
    let mut hash: u32 = 5381;
    for byte in name.bytes() {
        hash = (hash << 5).wrapping_add(hash).wrapping_add(byte as u32);
    }
    hash % buckets
}
