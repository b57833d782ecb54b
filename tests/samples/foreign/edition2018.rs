---
[package]
edition = "2018"
---
// Code of an older edition: `dyn` left out is an error since 2021, `async` and `gen` are words.
fn show(value: &std::fmt::Display) {
    println!("{}", value);
}

fn main() {
    let gen = 5;
    show(&gen);
    let array = [1, 2, 3];
    for x in array.into_iter() {
        let _: &i32 = x;
    }
}
//> 5
