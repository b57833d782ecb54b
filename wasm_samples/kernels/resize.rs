//! Resizing a picture by bilinear interpolation: small integers, four to a pixel.
//!
//! A picture is a slice of bytes: red, green, blue and alpha of each pixel, row after row. Pixels are
//! squares and their colour is that of their middle, as in OpenCV and PyTorch (`align_corners=False`);
//! weights are in 256ths. Like those it looks at four pixels however much smaller the result is.
//!
//! ```console
//! $ wasm-lab run --invoke resize_noise kernels/resize.rs 100
//! ...
//! $ wasm-lab test kernels/resize.rs
//! ...
//! ```

/// Longest side of a picture, in pixels: above, four bytes a pixel would not fit in a guest's memory.
const LONGEST: usize = 16_384;

/// For each place in the result: the two places it lies between, and the second one's weight of 256.
fn table(from: usize, to: usize) -> Vec<(usize, usize, u32)> {
    let between = |place: usize| {
        let middle = ((place as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let first = middle as usize;
        let weight = ((middle - first as f64) * 256.0 + 0.5) as u32;
        (first, (first + 1).min(from - 1), weight)
    };
    (0..to).map(between).collect()
}

/// The picture of width × height pixels as one of new_width × new_height.
pub fn resize(
    pixels: &[u8],
    width: usize,
    height: usize,
    new_width: usize,
    new_height: usize,
) -> Result<Vec<u8>, String> {
    if [width, height, new_width, new_height].iter().any(|side| !(1..=LONGEST).contains(side)) {
        return Err(format!("each side must have 1 to {LONGEST} pixels"));
    }
    if pixels.len() != 4 * width * height {
        return Err(format!("{} bytes are not {width} × {height} pixels of 4", pixels.len()));
    }
    let columns = table(width, new_width);
    let mut resized = vec![0; 4 * new_width * new_height];
    let rows = resized.chunks_exact_mut(4 * new_width);
    for (target, (top, bottom, down)) in rows.zip(table(height, new_height)) {
        let top = &pixels[4 * width * top..][..4 * width];
        let bottom = &pixels[4 * width * bottom..][..4 * width];
        for (pixel, &(left, right, across)) in target.chunks_exact_mut(4).zip(&columns) {
            for channel in 0..4 {
                let mix = |row: &[u8]| {
                    row[4 * left + channel] as u32 * (256 - across) + row[4 * right + channel] as u32 * across
                };
                let sum = mix(top) * (256 - down) + mix(bottom) * down;
                pixel[channel] = ((sum + 0x8000) >> 16) as u8;
            }
        }
    }
    Ok(resized)
}

/// The FNV-1a hash (32 bits) of a picture of size × size random pixels, resized to three quarters.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it. The pixels are drawn
/// by Marsaglia's xorshift generator ("Xorshift RNGs", 2003), from 2463534242 on.
pub fn resize_noise(size: usize) -> Result<u32, String> {
    let mut state: u32 = 2_463_534_242;
    let mut pixels = Vec::with_capacity(4 * size * size);
    for _ in 0..size * size {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        pixels.extend(state.to_le_bytes());
    }
    let quarters = (size * 3).div_ceil(4);
    Ok(fnv(&resize(&pixels, size, size, quarters, quarters)?))
}

fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ byte as u32).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(values: &[u8]) -> Vec<u8> {
        values.iter().flat_map(|&value| [value, value, value, 255]).collect()
    }

    // The example in PyTorch's documentation of torch.nn.Upsample (scale_factor=2, mode="bilinear"):
    // [[1, 2], [3, 4]] becomes [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], …]; here times 40.
    #[test]
    fn doubled_as_published() {
        let expected = [40, 50, 70, 80, 60, 70, 90, 100, 100, 110, 130, 140, 120, 130, 150, 160];
        assert_eq!(resize(&grey(&[40, 80, 120, 160]), 2, 2, 4, 4), Ok(grey(&expected)));
    }

    // Halving by this rule takes the mean of each four.
    #[test]
    fn halved_by_hand() {
        let rows = [0, 10, 100, 100, 20, 30, 100, 100];
        assert_eq!(resize(&grey(&rows), 4, 2, 2, 1), Ok(grey(&[15, 100])));
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let pixels: Vec<u8> = (0..=255).collect();
        assert_eq!(resize(&pixels, 8, 8, 8, 8), Ok(pixels));
    }

    #[test]
    fn one_colour_stays() {
        let pixels = [1, 128, 254, 255].repeat(35);
        assert_eq!(resize(&pixels, 7, 5, 13, 3), Ok([1, 128, 254, 255].repeat(39)));
        assert_eq!(resize(&[9, 8, 7, 6], 1, 1, 3, 2), Ok([9, 8, 7, 6].repeat(6)));
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(resize(&[0; 16], 2, 3, 1, 1).unwrap_err().starts_with("16 bytes are not 2 × 3"));
        assert!(resize(&[], 0, 0, 1, 1).is_err());
        assert!(resize(&[0; 4], 1, 1, 1, usize::MAX).is_err());
    }

    // The vectors of draft-eastlake-fnv, appendix C.
    #[test]
    fn hash_is_as_published() {
        assert_eq!([fnv(b""), fnv(b"a"), fnv(b"foobar")], [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
    }
}
