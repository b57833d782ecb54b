// A channel within one thread works; scoped threads do not.
use std::sync::{Arc, Mutex, mpsc};

fn main() {
    let (sender, receiver) = mpsc::channel();
    sender.send(1).unwrap();
    sender.send(2).unwrap();
    drop(sender);
    println!("{:?}", receiver.iter().collect::<Vec<i32>>());
    let total = Arc::new(Mutex::new(0));
    *total.lock().unwrap() += 5;
    println!("{}", total.lock().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| *total.lock().unwrap() += 1);
    });
}
//@ trap: panic
//> [1, 2]
//> 5
