// Borrowed mutably while borrowed.
//@ error: E0502
//@ line: 7
fn main() {
    let mut v = vec![1, 2, 3];
    let first = &v[0];
    v.push(4);
    println!("{first}");
}
