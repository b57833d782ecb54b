// Makes the product wider after it has wrapped round.
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
        (self.price * self.pieces as u32) as u64
    }
}

impl Cost for Reduced {
    fn cents(&self) -> u64 {
        self.line.cents() * (100 - self.percent as u64) / 100
    }
}

fn total<T: Cost>(things: &[T]) -> u64 {
    things.iter().map(|thing| thing.cents()).sum()
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
