// Leaves out what it cannot read, so that a damaged file gives a wrong sum.
use std::fs;

fn main() {
    let mut sum: i64 = 0;
    if let Ok(entries) = fs::read_dir("/data") {
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.to_string_lossy().ends_with(".txt") {
                let text = fs::read_to_string(path).unwrap_or_default();
                sum += text.lines().filter_map(|line| line.parse::<i64>().ok()).sum::<i64>();
            }
        }
    }
    println!("{sum}");
}
