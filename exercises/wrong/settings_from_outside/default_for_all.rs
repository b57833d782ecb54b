// Misconception: a default is for every case in which there is no good number, a typing mistake too.
fn main() {
    let station = std::env::var("STATION").unwrap_or_default();
    if station.is_empty() {
        eprintln!("STATION is missing");
        std::process::exit(2);
    }
    let port = std::env::var("PORT").ok().and_then(|text| text.parse::<u16>().ok()).unwrap_or(8080);
    println!("{station} listens on {port}");
}
