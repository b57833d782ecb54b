// A forgotten closing brace.
//@ error: unclosed delimiter
fn main() {
    if true {
        println!("open");
}
