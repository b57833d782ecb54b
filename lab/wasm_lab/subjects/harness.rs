// What is timed, in every engine and natively: reads the arguments once, then one order a line.
use std::hint::black_box;
use std::io::{BufRead, Read, Write};
use std::time::Instant;

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize { core::arch::wasm32::memory_size(0) * 65536 }
#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize { 0 }

// A native program that loops for ever would outlive a parent that was killed.
#[cfg(target_os = "linux")]
fn die_with_parent() {
    extern "C" { fn prctl(option: i32, ...) -> i32; }
    unsafe { prctl(1, 9usize); } // PR_SET_PDEATHSIG, SIGKILL
}
#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}

// The step that the clock shows, its own cost included: the median of 33.
fn clock_step_ns() -> u128 {
    let mut steps: Vec<u128> = (0..33).map(|_| {
        let start = Instant::now();
        loop {
            let step = start.elapsed().as_nanos();
            if step > 0 { return step; }
        }
    }).collect();
    steps.sort();
    steps[16]
}

// Calls `one` again and again, behind a pointer that the compiler cannot see through: so each call is one
// of a function of its own, whose code an engine can replace once it is hot. V8 never replaces the code of
// a Wasm function that is running, and if the measured code were inlined here, it would run unoptimised.
#[inline(never)]
fn again(count: u64, one: &mut dyn FnMut()) -> u128 {
    let start = Instant::now();
    for _ in 0..count { one(); }
    start.elapsed().as_nanos()
}

fn main() {
    let began = memory_bytes();
    die_with_parent();
    let mut input = std::io::stdin().lock();
    let mut order = String::new();
    input.read_line(&mut order).unwrap();
    let (mark, size) = order.trim().split_once(' ').unwrap();
    let (mark, size) = (mark.to_owned(), size.parse::<usize>().unwrap());
    let mut place = vec![0u128; size / 16 + 1]; // aligned for every plain type
    let bytes = unsafe { std::slice::from_raw_parts_mut(place.as_mut_ptr() as *mut u8, size) };
    input.read_exact(bytes).unwrap();
    let mut at = bytes.as_ptr();
    // What the measured code prints may stand before the mark, but no line of it begins with it.
    let say = |words: String, payload: &[u8]| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("\n{mark} {words}\n").as_bytes()).unwrap();
        out.write_all(payload).unwrap();
        out.flush().unwrap();
    };
    /*arguments*/
    say("ready".into(), &[]);
    loop {
        order.clear();
        if input.read_line(&mut order).unwrap() == 0 { return; }
        let (what, number) = order.trim().split_once(' ').unwrap_or((order.trim(), "0"));
        let count: u64 = number.parse().unwrap();
        match what {
            "time" => {
                /*timed*/
                say(format!("elapsed {elapsed}"), &[]);
            }
            "answer" => {
                let mut w = Vec::<u8>::new();
                /*answered*/
                say(format!("answer {}", w.len()), &w);
            }
            "memory" => say(format!("memory {began} {}", memory_bytes()), &[]),
            "step" => say(format!("step {}", clock_step_ns()), &[]),
            _ => return,
        }
    }
}
