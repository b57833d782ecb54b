// Statements with `?`, as in a Rust documentation test: the error ends the cell.
let number: i32 = "42".parse()?;
println!("{number}");
let other: i32 = "forty-two".parse()?;
println!("{other}");
Ok::<(), std::num::ParseIntError>(())
//@ exit: 1
//@ stderr: InvalidDigit
//> 42
