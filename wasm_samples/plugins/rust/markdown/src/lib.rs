//! Markdown to HTML, by `pulldown-cmark`: CommonMark, with GitHub's tables, strikethrough, task lists and
//! footnotes when the option `flavour` is `github`.

use pipe::Failure;
use pulldown_cmark::{Options, Parser, html};

/// The HTML of a Markdown text.
///
/// Option `flavour`: `commonmark` (the default) or `github`.
pub fn apply(input: &[u8], options: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    let mut flavour = Options::empty();
    for (name, value) in options {
        match (name.as_str(), value.as_str()) {
            ("flavour", "commonmark") => flavour = Options::empty(),
            ("flavour", "github") => {
                flavour = Options::ENABLE_TABLES
                    | Options::ENABLE_STRIKETHROUGH
                    | Options::ENABLE_TASKLISTS
                    | Options::ENABLE_FOOTNOTES;
            }
            ("flavour", _) => return Err(Failure::option(name, "commonmark and github are known")),
            _ => return Err(Failure::option(name, "there is no such option")),
        }
    }
    let text = std::str::from_utf8(input).map_err(|error| Failure::input(format!("no UTF-8: {error}")))?;
    let mut output = String::with_capacity(input.len() * 3 / 2);
    html::push_html(&mut output, Parser::new_ext(text, flavour));
    Ok(output.into_bytes())
}

#[cfg(target_family = "wasm")]
mod component {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });

    use exports::wasm_lab::plugins::transform::{Description, Failure, Guest};

    struct Markdown;

    impl Guest for Markdown {
        fn describe() -> Description {
            Description {
                name: "markdown".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                summary: "Markdown to HTML.".into(),
                accepts: vec!["text/markdown".into()],
                gives: "text/html".into(),
                options: vec!["flavour".into()],
            }
        }

        fn apply(input: Vec<u8>, options: Vec<(String, String)>) -> Result<Vec<u8>, Failure> {
            super::apply(&input, &options).map_err(|failure| match failure {
                pipe::Failure::BadOption { about, why } => Failure::BadOption((about, why)),
                pipe::Failure::BadInput { why } => Failure::BadInput(why),
            })
        }
    }

    export!(Markdown);
}
