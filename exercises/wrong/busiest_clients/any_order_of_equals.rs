// Sorts by count alone: clients with equal counts stand in the order of a HashMap.
use std::collections::HashMap;

fn main() {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for line in std::io::stdin().lines() {
        if let Some(client) = line.unwrap().split_whitespace().next() {
            *counts.entry(client.to_string()).or_default() += 1;
        }
    }
    let mut clients: Vec<_> = counts.into_iter().collect();
    clients.sort_by(|a, b| b.1.cmp(&a.1));
    for (client, count) in clients {
        println!("{count} {client}");
    }
}
