// The book's command line program: arguments, an environment variable, errors on stderr.
//@ args: to poem.txt
//@ stderr: Application error
//@ exit: 1
use std::{env, error::Error, fs, process};

struct Config {
    query: String,
    file_path: String,
    ignore_case: bool,
}

impl Config {
    fn build(mut args: impl Iterator<Item = String>) -> Result<Config, &'static str> {
        args.next();
        let Some(query) = args.next() else { return Err("Didn't get a query string") };
        let Some(file_path) = args.next() else { return Err("Didn't get a file path") };
        Ok(Config { query, file_path, ignore_case: env::var("IGNORE_CASE").is_ok() })
    }
}

fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let contents = fs::read_to_string(config.file_path)?;
    for line in contents.lines() {
        if line.contains(&config.query) || config.ignore_case {
            println!("{line}");
        }
    }
    Ok(())
}

fn main() {
    let config = Config::build(env::args()).unwrap_or_else(|err| {
        eprintln!("Problem parsing arguments: {err}");
        process::exit(2);
    });
    println!("Searching for {}", config.query);
    if let Err(e) = run(config) {
        eprintln!("Application error: {e}");
        process::exit(1);
    }
}
//> Searching for to
