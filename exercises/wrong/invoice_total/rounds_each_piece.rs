// Rounds the price of each piece instead of that of the line.
/// What has a price.
trait Cost {
    /// The price in cents.
    fn cents(&self) -> u64;
}

struct Line {
    price: u32,
    pieces: u16,
}

struct Reduced {
    line: Line,
    percent: u8,
}

impl Cost for Line {
    fn cents(&self) -> u64 {
        u64::from(self.price) * u64::from(self.pieces)
    }
}

impl Cost for Reduced {
    fn cents(&self) -> u64 {
        let each = u64::from(self.line.price) * (100 - u64::from(self.percent)) / 100;
        each * u64::from(self.line.pieces)
    }
}

fn total<T: Cost>(things: &[T]) -> u64 {
    let mut sum = 0;
    for thing in things {
        sum += thing.cents();
    }
    sum
}

/// The total of lines, each a price and a number of pieces.
pub fn of_lines(lines: Vec<(u32, u16)>) -> u64 {
    let lines: Vec<Line> = lines.into_iter().map(|(price, pieces)| Line { price, pieces }).collect();
    total(&lines)
}

/// The total of reduced lines, each a price, a number of pieces and a percentage.
pub fn of_reduced(lines: Vec<(u32, u16, u8)>) -> u64 {
    let reduced = |(price, pieces, percent)| Reduced { line: Line { price, pieces }, percent };
    let lines: Vec<Reduced> = lines.into_iter().map(reduced).collect();
    total(&lines)
}
