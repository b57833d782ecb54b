// Errors of several kinds by `?` and Box<dyn Error>; main returns one.
//@ exit: 1
//@ stderr: Error: Negative(-4)
use std::error::Error;
use std::fmt;

#[derive(Debug)]
enum BadNumber {
    Negative(i64),
}

impl fmt::Display for BadNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadNumber::Negative(n) => write!(f, "{n} is negative"),
        }
    }
}

impl Error for BadNumber {}

fn root(text: &str) -> Result<f64, Box<dyn Error>> {
    let number: i64 = text.parse()?;
    if number < 0 {
        return Err(Box::new(BadNumber::Negative(number)));
    }
    Ok((number as f64).sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", root("16")?);
    if let Err(error) = root("sixteen") {
        println!("{error}");
    }
    println!("{}", root("-4")?);
    println!("not reached");
    Ok(())
}
//> 4
//> invalid digit found in string
