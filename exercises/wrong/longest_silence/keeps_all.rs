// Keeps every time before it looks for the longest difference.
fn main() {
    let times: Vec<u64> = std::io::stdin()
        .lines()
        .map(|line| line.unwrap())
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.trim().parse().unwrap())
        .collect();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    println!("{longest}");
}
