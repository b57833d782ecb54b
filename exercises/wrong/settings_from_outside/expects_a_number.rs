// Misconception: a panic with a good message is an error message.
fn main() {
    let Ok(station) = std::env::var("STATION") else {
        eprintln!("STATION is missing");
        std::process::exit(2);
    };
    let port = std::env::var("PORT").unwrap_or("8080".to_string());
    let port: u16 = port.parse().expect("PORT must be a number from 1 to 65535");
    println!("{station} listens on {port}");
}
