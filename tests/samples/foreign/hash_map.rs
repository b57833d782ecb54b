// Counting words with the entry API; a set; a map in order.
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

fn main() {
    let text = "one fish two fish red fish blue fish";
    let mut counts: HashMap<&str, i32> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut pairs: Vec<_> = counts.iter().collect();
    pairs.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (word, count) in pairs.iter().take(3) {
        println!("{word:>5}: {count}");
    }
    let letters: HashSet<char> = "hello".chars().collect();
    let more: HashSet<char> = "world".chars().collect();
    let mut both: Vec<_> = letters.intersection(&more).collect();
    both.sort();
    println!("{both:?}");
    let by_length = text.split(' ').fold(BTreeMap::<usize, Vec<&str>>::new(), |mut map, w| {
        map.entry(w.len()).or_default().push(w);
        map
    });
    println!("{:?}", by_length.range(..4).next());
    let mut queue: VecDeque<i32> = (1..=5).collect();
    queue.rotate_left(2);
    println!("{queue:?}");
    println!("{}", counts["green"]);
}
//@ trap: panic
//@ line: 28
//>  fish: 4
//>  blue: 1
//>   one: 1
//> ['l', 'o']
//> Some((3, ["one", "two", "red"]))
//> [3, 4, 5, 1, 2]
