// From the book: a thread. wasm32-wasip1 has none.
use std::thread;
use std::time::Duration;

fn main() {
    let handle = thread::spawn(|| {
        for i in 1..5 {
            println!("hi number {i} from the spawned thread!");
            thread::sleep(Duration::from_millis(1));
        }
    });
    handle.join().unwrap();
}
//@ trap: panic
//@ stderr: failed to spawn thread
