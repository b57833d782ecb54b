//! A library with a state of its own.
use std::sync::atomic::{AtomicU32, Ordering};

static COUNTER: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn count() -> u32 {
    COUNTER.fetch_add(1, Ordering::Relaxed) + 1
}

#[unsafe(no_mangle)]
pub extern "C" fn widen(x: u32) -> u64 {
    u64::from(x)
}

#[unsafe(no_mangle)]
pub extern "C" fn greet(times: u32) {
    for n in 0..times {
        println!("hello {n}");
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn fail(code: u32) {
    panic!("failed with {code}");
}

#[unsafe(no_mangle)]
pub extern "C" fn leave(code: u32) {
    std::process::exit(code as i32);
}

#[unsafe(no_mangle)]
pub extern "C" fn spin() {
    let mut x = 0u64;
    loop {
        x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(7));
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64
}
