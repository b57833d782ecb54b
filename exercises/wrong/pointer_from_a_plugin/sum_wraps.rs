// Misconception: address + length is the end of the text. In 32 bits the sum may start again at 0.
pub fn take_text(memory: &[u8], address: u32, length: u32) -> Result<String, String> {
    let (start, end) = (address as usize, (address + length) as usize);
    if end > memory.len() || start > memory.len() {
        return Err("out of bounds".to_string());
    }
    match std::str::from_utf8(&memory[start..end]) {
        Ok(text) => Ok(text.to_string()),
        Err(_) => Err("no text".to_string()),
    }
}
