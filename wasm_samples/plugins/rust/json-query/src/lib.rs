//! JSON in, JSON out, by a program in the language of `jq`; by `jaq`.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};
use pipe::{Content, Failure};

/// Each value that the query gives, as JSON, on a line of its own.
///
/// Option `query`: a program for jq, such as `.[] | select(.price > 10) | .name`; `.` by default.
pub fn apply(input: &Content, options: &[(String, String)]) -> Result<Content, Failure> {
    let mut query = ".";
    for (name, value) in options {
        match name.as_str() {
            "query" => query = value,
            _ => return Err(Failure::option(name, "there is no such option")),
        }
    }
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code: query, path: () })
        .map_err(|_| Failure::option("query", "it is no program for jq"))?;
    let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let unknown: Vec<_> = errors.iter().flat_map(|(_, each)| each).map(|(name, _)| *name).collect();
        Failure::option("query", format!("it names what is not defined: {}", unknown.join(", ")))
    })?;
    let value = read::parse_single(input.bytes()).map_err(|error| Failure::input(format!("no JSON: {error}")))?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut output = Vec::new();
    for found in filter.id.run((context, value)).map(unwrap_valr) {
        let found = found.map_err(|error| Failure::input(error))?;
        write::write(&mut output, &write::Pp::default(), 0, &found).map_err(Failure::input)?;
        output.push(b'\n');
    }
    String::from_utf8(output).map(Content::Text).or_else(|error| Ok(Content::Binary(error.into_bytes())))
}

#[cfg(target_family = "wasm")]
mod component {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });

    use exports::wasm_lab::plugins::transform::{Content, Description, Failure, Guest};

    struct JsonQuery;

    impl Guest for JsonQuery {
        fn describe() -> Description {
            Description {
                name: "json-query".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                summary: "JSON through a program in the language of jq.".into(),
                accepts: vec!["application/json".into()],
                gives: "application/jsonl".into(),
                options: vec!["query".into()],
            }
        }

        fn apply(input: Content, options: Vec<(String, String)>) -> Result<Content, Failure> {
            let input = match input {
                Content::Text(text) => pipe::Content::Text(text),
                Content::Binary(bytes) => pipe::Content::Binary(bytes),
            };
            match super::apply(&input, &options) {
                Ok(pipe::Content::Text(text)) => Ok(Content::Text(text)),
                Ok(pipe::Content::Binary(bytes)) => Ok(Content::Binary(bytes)),
                Err(pipe::Failure::BadOption { about, why }) => Err(Failure::BadOption((about, why))),
                Err(pipe::Failure::BadInput { why }) => Err(Failure::BadInput(why)),
            }
        }
    }

    export!(JsonQuery);
}
