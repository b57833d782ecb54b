// Takes whatever parse takes: a plus sign, one digit, three digits.
/// Minutes from midnight to a time of day, which is written as HH:MM.
pub fn minutes(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text} is no time of day");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let hour: u32 = hour.parse().map_err(|_| wrong())?;
    let minute: u32 = minute.parse().map_err(|_| wrong())?;
    if hour > 23 || minute > 59 {
        return Err(wrong());
    }
    Ok(hour * 60 + minute)
}
