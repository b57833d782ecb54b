//! Looks for secrets in the environment.
//!
//! Expected: it sees the variables that it was given and none of the host's. Status 1 when it
//! sees any that it did not expect (those named in the arguments).
//!
//! ```console
//! $ SECRET_TOKEN=hunter2 wasm-lab run misbehaving/environment_snooper.rs
//! 0 variables
//! $ SECRET_TOKEN=hunter2 wasm-lab run --env MODE=test misbehaving/environment_snooper.rs MODE
//! 1 variables
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    let expected: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    println!("{} variables", names.len());
    let mut status = ExitCode::SUCCESS;
    for name in names.iter().filter(|name| !expected.contains(name)) {
        println!("found {name}");
        status = ExitCode::FAILURE;
    }
    status
}
