// Overflow, which a development build catches.
//@ profile: dev
//@ trap: panic
//@ stderr: attempt to multiply with overflow
//@ line: 9
fn factorial(n: u32) -> u32 {
    let mut product: u32 = 1;
    for i in 1..=n {
        product *= i;
    }
    product
}

fn main() {
    println!("{}", factorial(12));
    println!("{}", factorial(13));
}
//> 479001600
