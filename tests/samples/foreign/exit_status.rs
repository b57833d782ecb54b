// process::exit in the middle of output that has no newline.
//@ exit: 7
fn main() {
    print!("no newline here");
    std::process::exit(7);
}
//> no newline here
