//! Rust bindings of a WIT world, as wit-bindgen's macro would make them, from standard input to standard output.
//!
//! Arguments: the world's name, the path of the runtime module, the path of the bitflags crate.

use std::io::{Read, Write};
use std::process::ExitCode;

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> ExitCode {
    match bindings() {
        Ok(text) => {
            std::io::stdout().write_all(&text).expect("standard output is open");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn bindings() -> Result<Vec<u8>, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [world, runtime, bitflags] = arguments.as_slice() else {
        return Err("usage: bindings WORLD RUNTIME_PATH BITFLAGS_PATH < world.wit".into());
    };
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| error.to_string())?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str("world.wit", &text).map_err(|error| format!("{error:?}"))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|error| format!("{error:?}"))?;
    let mut generator = wit_bindgen_rust::Opts {
        runtime_path: Some(runtime.clone()),
        bitflags_path: Some(bitflags.clone()),
        generate_all: true,
        ..Default::default()
    }
    .build();
    let mut files = Files::default();
    wit_bindgen_core::WorldGenerator::generate(&mut generator, &mut resolve, world, &mut files)
        .map_err(|error| format!("{error:?}"))?;
    let (_, made) = files.iter().find(|(name, _)| name.ends_with(".rs")).ok_or("no Rust file was made")?;
    Ok(made.to_vec())
}
