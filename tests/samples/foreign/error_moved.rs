// Use after move.
//@ error: E0382
//@ line: 7
fn main() {
    let s1 = String::from("hello");
    let s2 = s1;
    println!("{s1}, world! {s2}");
}
