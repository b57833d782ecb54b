// A forgotten semicolon.
//@ error: expected `;`
//@ line: 5
fn main() {
    let x = 5
    println!("{x}");
}
