// Statements only, with items among them and a last value.
use std::collections::BTreeSet;

fn square(x: i32) -> i32 {
    x * x
}

let numbers: BTreeSet<i32> = (1..=4).map(square).collect();
println!("{} numbers", numbers.len());
for number in numbers.iter().rev() {
    print!("{number} ");
}
println!();
numbers.into_iter().sum::<i32>()
//> 4 numbers
//> 16 9 4 1 
//> 30
