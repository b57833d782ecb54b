// The book's guessing game with a fixed secret: lines from standard input, mistakes included.
//@ stdin: 10\nfifty\n\n 70 \n42\n99\n
use std::cmp::Ordering;
use std::io;

fn main() {
    println!("Guess the number!");
    let secret_number = 42;
    loop {
        println!("Please input your guess.");
        let mut guess = String::new();
        io::stdin().read_line(&mut guess).expect("Failed to read line");
        let guess: u32 = match guess.trim().parse() {
            Ok(num) => num,
            Err(e) => {
                println!("{e}");
                continue;
            }
        };
        match guess.cmp(&secret_number) {
            Ordering::Less => println!("Too small!"),
            Ordering::Greater => println!("Too big!"),
            Ordering::Equal => {
                println!("You win!");
                break;
            }
        }
    }
    let rest: Vec<String> = io::stdin().lines().map_while(Result::ok).collect();
    println!("{rest:?}");
}
//> Guess the number!
//> Please input your guess.
//> Too small!
//> Please input your guess.
//> invalid digit found in string
//> Please input your guess.
//> cannot parse integer from empty string
//> Please input your guess.
//> Too big!
//> Please input your guess.
//> You win!
//> ["99"]
