//! Markdown to HTML, by `pulldown-cmark`: CommonMark, with GitHub's tables, strikethrough, task lists and
//! footnotes when the option `flavour` is `github`.

use pipe::{Content, Failure};
use pulldown_cmark::{Options, Parser, html};

/// The HTML of a Markdown text.
///
/// Option `flavour`: `commonmark` (the default) or `github`.
pub fn apply(input: &Content, options: &[(String, String)]) -> Result<Content, Failure> {
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
    let text = input.text()?;
    let mut output = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut output, Parser::new_ext(text, flavour));
    Ok(Content::Text(output))
}

#[cfg(target_family = "wasm")]
mod component {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });

    use exports::wasm_lab::plugins::transform::{Content, Description, Failure, Guest};

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

    export!(Markdown);
}
