//! The Mandelbrot set by escape time: floating-point arithmetic with nothing in memory.
//!
//! The picture shows the plane from -2 - 1.5i to 1 + 1.5i, row after row, each point in the
//! middle of its pixel.
//!
//! ```console
//! $ wasm-lab run --invoke escape_time kernels/mandelbrot.rs -0.75 0.01 1000
//! 315
//! $ wasm-lab run --invoke points_inside kernels/mandelbrot.rs 300
//! 15154
//! $ wasm-lab test kernels/mandelbrot.rs
//! ...
//! ```

/// After how many steps of z ↦ z² + c, from 0, |z| is above 2; `limit` when it takes that many or more.
pub fn escape_time(re: f64, im: f64, limit: u32) -> u32 {
    let (mut x, mut y) = (0.0, 0.0);
    let (mut xx, mut yy) = (0.0, 0.0);
    for step in 1..limit {
        y = 2.0 * x * y + im;
        x = xx - yy + re;
        xx = x * x;
        yy = y * y;
        if xx + yy > 4.0 {
            return step;
        }
    }
    limit
}

/// The escape time of each point of a picture of width × height.
pub fn mandelbrot(width: u32, height: u32, limit: u32) -> Vec<u32> {
    let (across, down) = (3.0 / width as f64, 3.0 / height as f64);
    let mut times = Vec::with_capacity(width as usize * height as usize);
    for row in 0..height {
        let im = (row as f64 + 0.5) * down - 1.5;
        for column in 0..width {
            times.push(escape_time((column as f64 + 0.5) * across - 2.0, im, limit));
        }
    }
    times
}

/// How many points of a picture of size × size have not escaped after 500 steps.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it.
pub fn points_inside(size: u32) -> u32 {
    mandelbrot(size, size, 501).into_iter().map(|time| u32::from(time == 501)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Found by Dave Boll in 1991, proved by Aaron Klebanoff ("π in the Mandelbrot set", Fractals 9,
    // 2001): c = -3/4 + εi escapes after about π/ε steps. The numbers are those of Boll's table.
    #[test]
    fn pi_by_counting() {
        let found = [1.0, 0.1, 0.01, 0.001, 0.0001].map(|epsilon| escape_time(-0.75, epsilon, 1_000_000));
        assert_eq!(found, [3, 33, 315, 3_143, 31_417]);
    }

    // The area of the set is 1.50659 (sequence A098403 of the On-Line Encyclopedia of Integer
    // Sequences). A picture's nine units of area have the points inside, and some that are slow to escape.
    #[test]
    fn area() {
        let area = 9.0 * points_inside(600) as f64 / 360_000.0;
        assert!((area - 1.50659).abs() < 0.02, "{area}");
    }

    // The main cardioid and the disc of period 2 have closed formulas.
    #[test]
    fn inside_by_formula() {
        for (at, time) in mandelbrot(60, 60, 300).into_iter().enumerate() {
            let (x, y) = ((at % 60) as f64 * 0.05 + 0.025 - 2.0, (at / 60) as f64 * 0.05 + 0.025 - 1.5);
            let q = (x - 0.25).powi(2) + y * y;
            let known_inside = q * (q + x - 0.25) < 0.25 * y * y || (x + 1.0).powi(2) + y * y < 1.0 / 16.0;
            assert!(!known_inside || time == 300, "{x} + {y}i escaped after {time}");
            assert!(x * x + y * y <= 4.0 || time == 1, "{x} + {y}i is outside and took {time}");
        }
    }

    #[test]
    fn nothing_to_draw() {
        assert!(mandelbrot(0, 5, 10).is_empty());
        assert_eq!(mandelbrot(1, 1, 0), [0]);
    }
}
