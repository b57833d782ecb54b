// A module in a file of its own, which a cell does not have.
//@ error: E0583
//@ line: 4
mod helpers;

fn main() {
    helpers::greet();
}
