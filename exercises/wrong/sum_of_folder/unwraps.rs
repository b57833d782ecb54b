// Takes for granted that the folder is open and the files are sound.
use std::fs;

fn main() {
    let mut sum: i64 = 0;
    for entry in fs::read_dir("/data").unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.extension().is_some_and(|ending| ending == "txt") {
            for line in fs::read_to_string(&path).unwrap().lines().filter(|line| !line.is_empty()) {
                sum += line.parse::<i64>().unwrap();
            }
        }
    }
    println!("{sum}");
}
