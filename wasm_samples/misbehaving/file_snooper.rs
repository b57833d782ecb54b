//! Tries to read files that it was never given: by absolute path, by `..` and by a symlink.
//!
//! Further paths to try can be given as arguments. With a folder opened as `/work` that has a
//! symlink `link` to the outside, that is tried as well.
//!
//! Expected: each attempt is refused and reported; none prints a byte of a file.
//! Status 0 when all were refused, 1 when something could be read.
//!
//! ```console
//! $ wasm-lab run misbehaving/file_snooper.rs
//! refused: /etc/passwd: ...
//! ...
//! $ mkdir work && ln -s /etc/passwd work/link
//! $ wasm-lab run --dir work::/work misbehaving/file_snooper.rs
//! refused: /etc/passwd: ...
//! ...
//! ```

use std::fs;
use std::process::ExitCode;

const PATHS: [&str; 8] = [
    "/etc/passwd",
    "etc/passwd",
    "../../../../../../etc/passwd",
    "/work/../etc/passwd",
    "/work/../../../../../../etc/passwd",
    "/work/link",
    "/proc/self/environ",
    ".",
];

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    let more: Vec<String> = std::env::args().skip(1).collect();
    for path in PATHS.iter().copied().chain(more.iter().map(String::as_str)) {
        match fs::read(path) {
            Ok(bytes) => {
                println!("READ {} bytes: {path}", bytes.len());
                status = ExitCode::FAILURE;
            }
            Err(error) => println!("refused: {path}: {error}"),
        }
    }
    // Making a way out: a symlink, a hard link and a rename that lead outside.
    for (what, result) in [
        ("hard link", fs::hard_link("/work/../secret", "/work/stolen")),
        ("rename", fs::rename("/work/../secret", "/work/stolen")),
        ("copy", fs::copy("/work/../secret", "/work/stolen").map(|_| ())),
        ("write outside", fs::write("/work/../planted", "x")),
    ] {
        match result {
            Ok(()) => {
                println!("DONE: {what}");
                status = ExitCode::FAILURE;
            }
            Err(error) => println!("refused: {what}: {error}"),
        }
    }
    status
}
