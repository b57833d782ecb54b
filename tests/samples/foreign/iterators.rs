// An iterator of one's own and the adaptors.
struct Collatz(u64);

impl Iterator for Collatz {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        if self.0 == 0 {
            return None;
        }
        let now = self.0;
        self.0 = match now {
            1 => 0,
            n if n % 2 == 0 => n / 2,
            n => 3 * n + 1,
        };
        Some(now)
    }
}

fn main() {
    println!("{:?}", Collatz(6).collect::<Vec<_>>());
    let longest = (1..1000).max_by_key(|&n| Collatz(n).count()).unwrap();
    println!("{longest} takes {}", Collatz(longest).count());
    let text = "the quick brown fox jumps over the lazy dog";
    let (short, long): (Vec<&str>, Vec<&str>) = text.split(' ').partition(|w| w.len() < 4);
    println!("{} short, {} long", short.len(), long.len());
    for (i, w) in long.iter().enumerate().skip(1).step_by(2) {
        println!("{i}: {w}");
    }
    let nested = vec![vec![1, 2], vec![], vec![3]];
    println!("{:?}", nested.into_iter().flatten().rev().map(|x| x * x).collect::<Vec<i32>>());
    println!("{:?}", ["1", "2", "x"].iter().map(|s| s.parse::<i32>()).collect::<Result<Vec<_>, _>>());
    println!("{:?}", [1, 5, 2].windows(2).map(|w| w[1] - w[0]).collect::<Vec<i32>>());
    let mut peek = [1, 1, 2, 3, 3, 3].iter().peekable();
    while let Some(value) = peek.next() {
        let mut run = 1;
        while peek.next_if_eq(&value).is_some() {
            run += 1;
        }
        print!("{value}x{run} ");
    }
    println!();
}
//> [6, 3, 10, 5, 16, 8, 4, 2, 1]
//> 871 takes 179
//> 4 short, 5 long
//> 1: brown
//> 3: over
//> [9, 4, 1]
//> Err(ParseIntError { kind: InvalidDigit })
//> [4, -3]
//> 1x2 2x1 3x3 
