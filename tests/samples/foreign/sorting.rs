// Sorting by keys, stably, in reverse, floats, and a generic bubble sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Person {
    name: String,
    age: u32,
}

fn bubble<T: PartialOrd>(items: &mut [T]) -> usize {
    let mut swaps = 0;
    for end in (1..items.len()).rev() {
        for i in 0..end {
            if items[i] > items[i + 1] {
                items.swap(i, i + 1);
                swaps += 1;
            }
        }
    }
    swaps
}

fn main() {
    let mut people: Vec<Person> = [("Zoe", 25), ("Al", 60), ("John", 1), ("Bea", 25)]
        .into_iter()
        .map(|(name, age)| Person { name: name.into(), age })
        .collect();
    people.sort_by_key(|p| p.age);
    println!("{:?}", people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>());
    people.sort();
    println!("{:?}", people.first());
    people.sort_by(|a, b| b.age.cmp(&a.age).then_with(|| a.name.cmp(&b.name)));
    println!("{:?}", people.iter().map(|p| &p.name[..]).collect::<Vec<_>>());
    let mut floats = vec![1.3, -5.0, 1.15, 2.0];
    floats.sort_by(|a: &f64, b| a.partial_cmp(b).unwrap());
    println!("{floats:?}");
    let mut letters: Vec<char> = "wasm".chars().collect();
    println!("{} {}", bubble(&mut letters), letters.iter().collect::<String>());
    println!("{:?}", [1, 3, 5].binary_search(&4));
    let mut twice = vec![3, 1, 3, 2, 1];
    twice.sort_unstable();
    twice.dedup();
    println!("{twice:?}");
}
//> ["John", "Zoe", "Bea", "Al"]
//> Some(Person { name: "Al", age: 60 })
//> ["Al", "Bea", "Zoe", "John"]
//> [-5.0, 1.15, 1.3, 2.0]
//> 4 amsw
//> Err(2)
//> [1, 2, 3]
