---
[dependencies]
image = { version = "0.25", default-features = false, features = ["png"] }
---
//! Resizes a PNG picture: `image_resize IN OUT WIDTH HEIGHT`.
//!
//! `-` stands for standard input or output. Without arguments it makes a test picture of
//! 640 × 480 (a colour gradient with a chequerboard), resizes it to 320 × 240 in memory, both
//! by way of PNG, and prints what it measured, so that no picture has to be stored here.
//!
//! Capabilities: none without arguments; `--dir HOST::GUEST` for files.
//!
//! ```console
//! $ wasm-lab run programs/image_resize.rs
//! 640 x 480 PNG -> 320 x 240 PNG
//! top left before: [0, 0, 128, 255]
//! mean colour before: 127 127 127
//! mean colour after: 127 127 127
//! $ wasm-lab run programs/image_resize.rs --make 64 48 > in.png
//! $ wasm-lab run --dir .::/sandbox programs/image_resize.rs /sandbox/in.png /sandbox/out.png 16 12
//! $ head -c 24 out.png | od -A n -t u1 | tail -n 1
//!    0   0   0  16   0   0   0  12
//! ```

use image::imageops::FilterType;
use image::{ImageFormat, ImageReader, Rgba, RgbaImage};
use std::error::Error;
use std::io::{self, Cursor, Read, Write};

/// A picture whose every pixel follows from its place.
fn test_picture(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let across = (x * 255 / (width - 1).max(1)) as u8;
        let down = (y * 255 / (height - 1).max(1)) as u8;
        let square = if (x / 8 + y / 8) % 2 == 0 { 128 } else { 127 };
        Rgba([across, down, square, 255])
    })
}

fn to_png(picture: &RgbaImage) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn from_png(bytes: &[u8]) -> Result<RgbaImage, Box<dyn Error>> {
    Ok(ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png).decode()?.into_rgba8())
}

fn resize(png: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let picture = from_png(png)?;
    to_png(&image::imageops::resize(&picture, width, height, FilterType::Triangle))
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match path {
        "-" => io::stdin().read_to_end(&mut bytes).map(|_| bytes),
        path => std::fs::read(path),
    }
}

fn write(path: &str, bytes: &[u8]) -> io::Result<()> {
    match path {
        "-" => io::stdout().write_all(bytes),
        path => std::fs::write(path, bytes),
    }
}

fn mean_colour(picture: &RgbaImage) -> String {
    let count = u64::from(picture.width()) * u64::from(picture.height());
    let mean = |channel: usize| {
        let sum: u64 = picture.pixels().map(|pixel| u64::from(pixel.0[channel])).sum();
        (sum / count).to_string()
    };
    [mean(0), mean(1), mean(2)].join(" ")
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let before = test_picture(640, 480);
    let after = from_png(&resize(&to_png(&before)?, 320, 240)?)?;
    println!("640 x 480 PNG -> {} x {} PNG", after.width(), after.height());
    println!("top left before: {:?}", before.get_pixel(0, 0).0);
    println!("mean colour before: {}", mean_colour(&before));
    println!("mean colour after: {}", mean_colour(&after));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => demonstrate(),
        ["--make", width, height] => {
            Ok(write("-", &to_png(&test_picture(width.parse()?, height.parse()?))?)?)
        }
        [from, to, width, height] => {
            Ok(write(to, &resize(&read(from)?, width.parse()?, height.parse()?)?)?)
        }
        _ => Err("usage: image_resize [IN.png OUT.png WIDTH HEIGHT | --make WIDTH HEIGHT]".into()),
    }
}
