// A reference to something that is gone.
//@ error: E0106
//@ line: 4
fn dangle() -> &String {
    let s = String::from("hello");
    &s
}

fn main() {
    dangle();
}
