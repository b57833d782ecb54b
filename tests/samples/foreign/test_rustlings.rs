// In the manner of a rustlings exercise: an empty main, and tests in a module.
//@ tests: tests::is_even_works ok, tests::fails FAILED, tests::panics ok, tests::later ignored
fn is_even(num: i64) -> bool {
    num % 2 == 0
}

fn main() {
    // You can optionally experiment here.
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_even_works() {
        assert!(is_even(4));
        assert!(!is_even(5));
    }

    #[test]
    fn fails() {
        assert_eq!(is_even(3), true, "three is {}", "odd");
    }

    #[test]
    #[should_panic(expected = "divide by zero")]
    fn panics() {
        let zero = std::hint::black_box(0);
        println!("{}", 1 / zero);
    }

    #[test]
    #[ignore = "not today"]
    fn later() {
        unreachable!();
    }
}
