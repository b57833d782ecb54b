//! Tries to read files that it was never given: by absolute path, by `..` and by a symlink.
//!
//! Further paths to try can be given as arguments. With a folder opened as `/sandbox` that has a
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
//! $ wasm-lab run --dir work::/sandbox misbehaving/file_snooper.rs
//! refused: /etc/passwd: ...
//! ...
//! ```

use std::fs;
use std::io;
use std::process::ExitCode;

const PATHS: [&str; 8] = [
    "/etc/passwd",
    "etc/passwd",
    "../../../../../../etc/passwd",
    "/sandbox/../etc/passwd",
    "/sandbox/../../../../../../etc/passwd",
    "/sandbox/link",
    "/proc/self/environ",
    ".",
];

/// Makes a symlink in the first opened folder (descriptor 3), reads through it and removes it.
///
/// Rust's library can make symlinks on WASI only with a nightly compiler, hence the call itself.
#[cfg(target_env = "p1")]
fn read_through_symlink(target: &str, name: &str) -> io::Result<()> {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn path_symlink(target: *const u8, target_size: usize, folder: u32, name: *const u8, size: usize) -> u16;
    }
    // SAFETY: both texts live during the call.
    let errno = unsafe { path_symlink(target.as_ptr(), target.len(), 3, name.as_ptr(), name.len()) };
    if errno != 0 {
        return Err(io::Error::from_raw_os_error(i32::from(errno)));
    }
    let link = format!("/sandbox/{name}");
    let result = fs::read(&link).map(|_| ());
    fs::remove_file(&link)?;
    result
}

#[cfg(not(target_env = "p1"))]
fn read_through_symlink(_target: &str, _name: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

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
    // Making a way out: symlinks, a hard link and a rename that lead outside.
    for (what, result) in [
        ("absolute symlink", read_through_symlink("/etc/passwd", "absolute")),
        ("relative symlink", read_through_symlink("../secret", "relative")),
        ("hard link", fs::hard_link("/sandbox/../secret", "/sandbox/stolen")),
        ("rename", fs::rename("/sandbox/../secret", "/sandbox/stolen")),
        ("copy", fs::copy("/sandbox/../secret", "/sandbox/stolen").map(|_| ())),
        ("write outside", fs::write("/sandbox/../planted", "x")),
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
