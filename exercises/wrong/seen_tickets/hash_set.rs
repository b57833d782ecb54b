// Keeps the numbers in a set, which takes several bytes for each and doubles when it is full.
use std::collections::HashSet;

fn main() {
    let mut seen = HashSet::new();
    for line in std::io::stdin().lines() {
        if let Ok(ticket) = line.unwrap().trim().parse::<u32>() {
            if ticket < 4_194_304 {
                seen.insert(ticket);
            }
        }
    }
    println!("{}", seen.len());
}
