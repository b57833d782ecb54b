// A crate that was not asked for, and a misspelt function.
//@ error: E0433
//@ line: 5
fn main() {
    let r = rand::random::<u8>();
    prntln!("{r}");
}
