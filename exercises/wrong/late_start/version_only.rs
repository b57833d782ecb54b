// Answers the version first and prepares everything for all other questions.
const LARGEST: usize = 2_000_000;

/// For each number below the limit, whether it is a prime.
fn sieve(limit: usize) -> Vec<bool> {
    let mut prime = vec![true; limit];
    prime.iter_mut().take(2).for_each(|small| *small = false);
    for n in 2..limit {
        if n * n >= limit {
            break;
        }
        if prime[n] {
            prime[n * n..].iter_mut().step_by(n).for_each(|multiple| *multiple = false);
        }
    }
    prime
}

fn wrong(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2)
}

fn number(text: &str) -> usize {
    match text.parse() {
        Ok(number) if number <= LARGEST => number,
        _ => wrong("N is a number from 0 to 2,000,000"),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words == ["version"] {
        println!("primes 1.0");
        return;
    }
    let prime = sieve(LARGEST + 1);
    match words[..] {
        ["is", n] => println!("{}", if prime[number(n)] { "yes" } else { "no" }),
        ["count", n] => println!("{}", prime[..number(n)].iter().filter(|prime| **prime).count()),
        _ => wrong("Ask: version, is N or count N"),
    }
}
