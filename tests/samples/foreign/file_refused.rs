// A newcomer's file program, with no folder opened.
use std::fs;

fn main() {
    let text = fs::read_to_string("poem.txt").expect("Should have been able to read the file");
    println!("With text:\n{text}");
}
//@ trap: panic
//@ stderr: Should have been able to read the file
