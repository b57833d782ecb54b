// Sets limits for itself and becomes another program: nothing of Python's has to run in between.
//
// Arguments: bytes of data (RLIMIT_DATA) or `-`, the path of the program, its own name, its arguments.
use std::os::unix::process::CommandExt;
use std::process::Command;

#[repr(C)]
struct Limit {
    current: u64,
    most: u64,
}

unsafe extern "C" {
    fn setrlimit(resource: i32, limit: *const Limit) -> i32;
}

// Of Linux, on the architectures that Rust's own releases are for, but for MIPS and SPARC.
const DATA: i32 = 2;
const CORE: i32 = 4;

fn limit(resource: i32, most: u64) {
    // SAFETY: the structure is that of 64-bit Linux and lives during the call.
    if unsafe { setrlimit(resource, &Limit { current: most, most }) } != 0 {
        eprintln!("wasm-lab: {}", std::io::Error::last_os_error());
        std::process::exit(126);
    }
}

fn main() {
    let mut words = std::env::args_os().skip(1);
    let (bytes, program, name) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    limit(CORE, 0);
    if let Some(bytes) = bytes.to_str().and_then(|text| text.parse().ok()) {
        limit(DATA, bytes);
    }
    let error = Command::new(program).arg0(name).args(words).exec();
    eprintln!("wasm-lab: {error}");
    std::process::exit(126);
}
