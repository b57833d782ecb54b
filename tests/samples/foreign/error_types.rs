// A wrong type, with a suggestion from the compiler.
//@ error: E0308
//@ line: 5
fn main() {
    let x: i32 = "five";
    println!("{}", x);
}
