// Misconception: M is short for Mi. Letters are not read so exactly.
pub fn bytes_of(quantity: &str) -> Option<u64> {
    let digits = quantity.trim_end_matches(|sign: char| sign.is_alphabetic());
    let factor: u64 = match quantity[digits.len()..].trim_end_matches('i').to_uppercase().as_str() {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

pub fn pods(free: &str, request: &str, overhead: &str) -> Option<u64> {
    let each = bytes_of(request)? + bytes_of(overhead)?;
    if each == 0 {
        return None;
    }
    Some(bytes_of(free)? / each)
}
