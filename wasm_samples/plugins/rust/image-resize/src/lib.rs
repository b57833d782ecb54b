//! Images to another size, by the crate `image`. PNG, JPEG, BMP and PNM go in and come out.

use std::io::Cursor;

use image::codecs::pnm::{PnmEncoder, PnmSubtype, SampleEncoding};
use image::imageops::FilterType;
use image::{ImageFormat, ImageReader, Limits};
use pipe::{Content, Failure};

/// Widest and highest image that is taken or made, in pixels.
const MOST_PIXELS: u32 = 4096;

/// Most memory for decoding, in bytes.
const MOST_BYTES: u64 = 48 * 1024 * 1024;

/// The image in another size, in the format that it came in.
///
/// Options: `width` and `height` in pixels (one of them is enough: the other keeps the proportions), and
/// `filter`: `nearest`, `bilinear` (the default) or `lanczos`.
pub fn apply(input: &Content, options: &[(String, String)]) -> Result<Content, Failure> {
    let (mut width, mut height, mut filter) = (0, 0, FilterType::Triangle);
    for (name, value) in options {
        match (name.as_str(), value.as_str()) {
            ("width", _) => width = pixels(name, value)?,
            ("height", _) => height = pixels(name, value)?,
            ("filter", "nearest") => filter = FilterType::Nearest,
            ("filter", "bilinear") => filter = FilterType::Triangle,
            ("filter", "lanczos") => filter = FilterType::Lanczos3,
            ("filter", _) => return Err(Failure::option(name, "nearest, bilinear and lanczos are known")),
            _ => return Err(Failure::option(name, "there is no such option")),
        }
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::new(Cursor::new(input.bytes())).with_guessed_format().map_err(Failure::input)?;
    reader.limits(limits);
    let format = reader.format().ok_or_else(|| Failure::input("no PNG, JPEG, BMP or PNM"))?;
    let image = reader.decode().map_err(Failure::input)?;
    let (width, height) = match (width, height) {
        (0, 0) => return Err(Failure::option("width", "give a width, a height or both")),
        (0, height) => (scaled(image.width(), height, image.height()), height),
        (width, 0) => (width, scaled(image.height(), width, image.width())),
        both => both,
    };
    let mut output = Cursor::new(Vec::new());
    let resized = image.resize_exact(width, height, filter);
    match format {
        ImageFormat::Jpeg => resized.to_rgb8().write_to(&mut output, format),
        ImageFormat::Pnm => {
            let pixmap = PnmSubtype::Pixmap(SampleEncoding::Binary);
            resized.to_rgb8().write_with_encoder(PnmEncoder::new(&mut output).with_subtype(pixmap))
        }
        _ => resized.write_to(&mut output, format),
    }
    .map_err(Failure::input)?;
    Ok(Content::Binary(output.into_inner()))
}

fn pixels(name: &str, value: &str) -> Result<u32, Failure> {
    match value.parse() {
        Ok(number) if (1..=MOST_PIXELS).contains(&number) => Ok(number),
        _ => Err(Failure::option(name, format!("it is no number of pixels from 1 to {MOST_PIXELS}"))),
    }
}

fn scaled(side: u32, to: u32, from: u32) -> u32 {
    ((u64::from(side) * u64::from(to) + u64::from(from) / 2) / u64::from(from)).clamp(1, MOST_PIXELS.into()) as u32
}

#[cfg(target_family = "wasm")]
mod component {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });

    use exports::wasm_lab::plugins::transform::{Content, Description, Failure, Guest};

    struct ImageResize;

    impl Guest for ImageResize {
        fn describe() -> Description {
            Description {
                name: "image-resize".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                summary: "Images to another size, in the same format.".into(),
                accepts: ["png", "jpeg", "bmp", "x-portable-pixmap"].map(|each| format!("image/{each}")).into(),
                gives: "image/*".into(),
                options: ["width", "height", "filter"].map(String::from).into(),
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

    export!(ImageResize);
}
