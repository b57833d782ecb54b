// No text, but an array that could be left: the panic for that case prints a message.
/// Whether the last digit of a number is the check digit of the others.
pub fn valid(number: u64) -> bool {
    let mut digits = [0; 20];
    let (mut rest, mut count) = (number, 0);
    while rest > 0 {
        digits[count] = rest % 10;
        count += 1;
        rest /= 10;
    }
    let mut sum = 0;
    for place in 0..count {
        let digit = if place % 2 == 1 { 2 * digits[place] } else { digits[place] };
        sum += if digit > 9 { digit - 9 } else { digit };
    }
    sum % 10 == 0
}
