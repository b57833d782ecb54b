// A panic hook of one's own; catch_unwind cannot catch where panics abort.
//@ trap: panic
use std::panic;

fn main() {
    panic::set_hook(Box::new(|info| {
        println!("hook: {}", info.payload_as_str().unwrap_or("?"));
    }));
    let result = panic::catch_unwind(|| {
        panic!("inside");
    });
    println!("not reached: {result:?}");
}
//> hook: inside
