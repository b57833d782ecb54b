// An unstable feature on a stable compiler.
//@ error: E0554
//@ line: 4
#![feature(let_chains)]
fn main() {}
