// Closures that borrow, mutate and take over what they capture.
fn make_adder(by: i32) -> impl Fn(i32) -> i32 {
    move |x| x + by
}

fn compose<A, B, C>(f: impl Fn(A) -> B, g: impl Fn(B) -> C) -> impl Fn(A) -> C {
    move |x| g(f(x))
}

fn call_twice(mut f: Box<dyn FnMut() -> u32>) -> (u32, u32) {
    (f(), f())
}

fn main() {
    let add_five = make_adder(5);
    println!("{}", add_five(10));

    let mut log = Vec::new();
    let mut record = |text: &str| log.push(text.to_uppercase());
    record("first");
    record("second");
    println!("{log:?}");

    let shout = compose(|x: i32| x * 2, |x| format!("{x}!"));
    println!("{}", shout(21));

    let mut count = 0;
    let counter = move || {
        count += 1;
        count
    };
    println!("{:?} and outside {count}", call_twice(Box::new(counter)));
}
//> 15
//> ["FIRST", "SECOND"]
//> 42!
//> (1, 2) and outside 0
