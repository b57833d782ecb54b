// Environment and arguments as a newcomer expects them: not there unless given.
//@ env: MODE=test
//@ args: a b=c
use std::env;

fn main() {
    println!("{:?} {:?}", env::var("MODE"), env::var("HOME"));
    println!("{:?}", env::args().skip(1).collect::<Vec<_>>());
    println!("{}", env::var("PATH").unwrap());
}
//@ trap: panic
//@ stderr: called `Result::unwrap()` on an `Err` value: NotPresent
//> Ok("test") Err(NotPresent)
//> ["a", "b=c"]
