// Right, but by way of a text, which brings memory management and messages along.
/// Whether the last digit of a number is the check digit of the others.
pub fn valid(number: u64) -> bool {
    let sum: u32 = number
        .to_string()
        .chars()
        .rev()
        .enumerate()
        .map(|(place, letter)| {
            let digit = letter.to_digit(10).unwrap();
            if place % 2 == 0 {
                digit
            } else if digit > 4 {
                2 * digit - 9
            } else {
                2 * digit
            }
        })
        .sum();
    sum % 10 == 0
}
