//! Prints its arguments, its environment and the folders that it can name.
//!
//! A guest has the arguments and variables that it was given, and nothing of the host's own.
//!
//! Capabilities: none are needed; `--env NAME=VALUE` sets a variable.
//!
//! ```console
//! $ wasm-lab run --env GREETING=hello --env EMPTY= programs/environment.rs one 'two words'
//! argument 1: "one"
//! argument 2: "two words"
//! EMPTY=""
//! GREETING="hello"
//! home folder: none
//! current folder: "/"
//! $ SECRET=hunter2 wasm-lab run programs/environment.rs
//! home folder: none
//! current folder: "/"
//! ```

use std::env;

fn main() {
    for (position, argument) in env::args_os().enumerate().skip(1) {
        println!("argument {position}: {argument:?}");
    }
    let mut variables: Vec<_> = env::vars_os().collect();
    variables.sort();
    for (name, value) in variables {
        println!("{}={value:?}", name.display());
    }
    match env::var_os("HOME") {
        Some(folder) => println!("home folder: {folder:?}"),
        None => println!("home folder: none"),
    }
    match env::current_dir() {
        Ok(folder) => println!("current folder: {folder:?}"),
        Err(error) => println!("current folder: {error}"),
    }
}
