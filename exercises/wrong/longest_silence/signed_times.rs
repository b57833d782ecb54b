// Reads the times as signed numbers, and passes over those that are too large for one.
fn main() {
    let mut longest = 0;
    let mut before: Option<i64> = None;
    for line in std::io::stdin().lines() {
        let Ok(time) = line.unwrap().trim().parse::<i64>() else { continue };
        longest = longest.max(time - before.unwrap_or(time));
        before = Some(time);
    }
    println!("{longest}");
}
