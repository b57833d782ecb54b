//! Counts lines, words and bytes of files or of standard input, as `wc` does.
//!
//! A word is a run of bytes other than ASCII white space; a line ends with a newline. Several
//! files get a line with their total. A file that cannot be read is reported, and the rest
//! are counted all the same.
//!
//! Capabilities: `--dir-ro HOST::GUEST` for each folder to read from; none for standard input.
//!
//! ```console
//! $ printf 'one two\nthree\n' | wasm-lab run programs/word_count.rs
//!        2       3      14
//! $ printf 'one two\nthree' | wasm-lab run programs/word_count.rs -
//!        1       3      13 -
//! $ wasm-lab run --dir-ro texts::/t programs/word_count.rs /t/sonnet18.txt /t/missing.txt /t/unicode.txt
//!       14     114     621 /t/sonnet18.txt
//! word_count: /t/missing.txt: No such file or directory (os error 44)
//!        3       9      78 /t/unicode.txt
//!       17     123     699 total
//! [exit status 1]
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::process::ExitCode;

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.bytes += other.bytes;
    }
}

fn count(mut from: impl Read) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let mut inside_word = false;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let chunk = match from.read(&mut buffer)? {
            0 => return Ok(counts),
            size => &buffer[..size],
        };
        counts.bytes += chunk.len() as u64;
        for byte in chunk {
            counts.lines += u64::from(*byte == b'\n');
            let blank = byte.is_ascii_whitespace() || *byte == b'\x0b';
            counts.words += u64::from(!blank && !inside_word);
            inside_word = !blank;
        }
    }
}

fn show(counts: Counts, label: &str) {
    let Counts { lines, words, bytes } = counts;
    println!("{}", format!("{lines:8}{words:8}{bytes:8} {label}").trim_end());
}

fn main() -> ExitCode {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        return match count(io::stdin()) {
            Ok(counts) => {
                show(counts, "");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("word_count: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut total = Counts::default();
    let mut status = ExitCode::SUCCESS;
    for path in &paths {
        let counted = match path.as_str() {
            "-" => count(io::stdin()),
            path => File::open(path).and_then(count),
        };
        match counted {
            Ok(counts) => {
                show(counts, path);
                total += counts;
            }
            Err(error) => {
                eprintln!("word_count: {path}: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    if paths.len() > 1 {
        show(total, "total");
    }
    status
}
