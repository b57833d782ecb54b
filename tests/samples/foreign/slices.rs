// Slices of arrays and of text; slice patterns; the classic mistake of cutting a character in two.
//@ trap: panic
//@ stderr: is not a char boundary
fn first_word(s: &str) -> &str {
    s.split(' ').next().unwrap_or("")
}

fn describe(numbers: &[i32]) -> String {
    match numbers {
        [] => "nothing".to_string(),
        [one] => format!("only {one}"),
        [first, .., last] => format!("from {first} to {last}"),
    }
}

fn main() {
    let mut a = [5, 4, 3, 2, 1];
    a[1..4].sort();
    println!("{a:?} {:?}", &a[3..]);
    println!("{} {} {}", describe(&a), describe(&a[..1]), describe(&[]));
    println!("{}", first_word("hello world"));
    let (left, right) = a.split_at_mut(2);
    std::mem::swap(&mut left[0], &mut right[2]);
    println!("{a:?}");
    for chunk in a.chunks(2) {
        print!("{chunk:?} ");
    }
    println!();
    let hello = "Здравствуйте";
    println!("{}", &hello[0..4]);
    println!("{}", &hello[0..1]);
}
//> [5, 2, 3, 4, 1] [4, 1]
//> from 5 to 1 only 5 nothing
//> hello
//> [1, 2, 3, 4, 5]
//> [1, 2] [3, 4] [5] 
//> Зд
