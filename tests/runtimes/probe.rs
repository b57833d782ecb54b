//! One guest with many behaviours, chosen by its first argument.
use std::io::{Read, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[inline(never)]
fn recurse(n: u64) -> u64 {
    if n == u64::MAX { 0 } else { std::hint::black_box(recurse(std::hint::black_box(n + 1))) + 1 }
}

#[inline(never)]
fn recurse_with_array(n: u64) -> u64 {
    let array = std::hint::black_box([n; 200]);
    if n == u64::MAX { 0 } else { recurse_with_array(array[5] + 1) + array[7] }
}

fn spin() -> ! {
    let mut x = 0u64;
    loop {
        x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(7));
    }
}

fn tell<T: std::fmt::Debug>(result: std::io::Result<T>) {
    match result {
        Ok(value) => println!("{value:?}"),
        Err(error) => println!("error {}: {error}", error.raw_os_error().unwrap_or(0)),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let arg = |n: usize| args.get(n).map(String::as_str).unwrap_or("");
    match arg(1) {
        "" | "hello" => println!("hello"),
        "args" => println!("{args:?}"),
        "env" => {
            let mut all: Vec<_> = std::env::vars().collect();
            all.sort();
            println!("{all:?}")
        }
        "echo" => {
            let mut input = Vec::new();
            std::io::stdin().read_to_end(&mut input).unwrap();
            std::io::stdout().write_all(&input).unwrap();
        }
        "exit" => std::process::exit(arg(2).parse().unwrap()),
        "panic" => panic!("first line\nsecond line of {}", arg(2)),
        "index" => println!("{}", [1, 2, 3][args.len() + 5]),
        "recurse" => println!("{}", recurse(0)),
        "recurse_with_array" => println!("{}", recurse_with_array(0)),
        "divide" => println!("{}", std::hint::black_box(1) / std::hint::black_box(args.len() as i32 - 2)),
        "loop" => {
            println!("looping");
            spin()
        }
        "sleep" => {
            println!("sleeping");
            std::thread::sleep(Duration::from_millis(arg(2).parse().unwrap()));
            println!("awake");
        }
        "flood" => {
            let line = "x".repeat(999) + "\n";
            let mut out = std::io::stdout().lock();
            loop {
                out.write_all(line.as_bytes()).unwrap();
            }
        }
        "flood_once" => std::io::stdout().write_all(&vec![b'y'; arg(2).parse().unwrap()]).unwrap(),
        "streams" => {
            println!("one");
            eprintln!("two");
            println!("three");
        }
        "memory" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 1 << 20]);
            }
        }
        "clock" => {
            println!("{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());
            let start = Instant::now();
            std::thread::sleep(Duration::from_millis(5));
            println!("{:?}", start.elapsed());
        }
        "random" => {
            let map: std::collections::HashMap<u32, ()> = (0..100).map(|n| (n, ())).collect();
            println!("{:?}", map.keys().collect::<Vec<_>>());
        }
        "read" => tell(std::fs::read_to_string(arg(2))),
        "write" => tell(std::fs::write(arg(2), arg(3))),
        "mkdir" => tell(std::fs::create_dir(arg(2))),
        "remove" => tell(std::fs::remove_file(arg(2))),
        "modified" => tell(
            std::fs::metadata(arg(2)).map(|m| m.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_nanos()),
        ),
        "list" => tell(std::fs::read_dir(arg(2)).map(|all| {
            all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        })),
        "connect" => tell(std::net::TcpStream::connect(arg(2)).map(|_| ())),
        other => panic!("no behaviour {other}"),
    }
}
