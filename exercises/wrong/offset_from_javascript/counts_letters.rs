// Misconception: JavaScript counts letters. It counts units of 16 bits, and some letters have two.
pub fn byte_offset(text: &str, units: u32) -> Option<u32> {
    text.char_indices()
        .map(|(at, _)| at as u32)
        .chain([text.len() as u32])
        .nth(units as usize)
}
