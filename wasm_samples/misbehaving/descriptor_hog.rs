//! Opens a folder again and again and never closes it, to use up the host's file descriptors.
//!
//! Capabilities: `--dir-ro HOST::/sandbox`.
//!
//! Expected: from some point on it gets an error; the host process still can open files.
//!
//! ```console
//! $ mkdir work && wasm-lab run --dir-ro work::/sandbox misbehaving/descriptor_hog.rs
//! ...
//! ```

use std::fs::File;

fn main() {
    let mut files = Vec::new();
    loop {
        match File::open("/sandbox") {
            Ok(file) => files.push(file),
            Err(error) => {
                println!("{} opened, then: {error}", files.len());
                return;
            }
        }
        if files.len() == 1_000_000 {
            println!("{} opened", files.len());
            return;
        }
    }
}
