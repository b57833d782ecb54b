// Trusts that every number is a ticket, and leaves the vector when one is not.
fn main() {
    let mut seen = vec![0u64; 65_536];
    let mut count = 0;
    for line in std::io::stdin().lines() {
        let Ok(ticket) = line.unwrap().parse::<usize>() else { continue };
        let bit = 1 << (ticket % 64);
        if seen[ticket / 64] & bit == 0 {
            seen[ticket / 64] |= bit;
            count += 1;
        }
    }
    println!("{count}");
}
