// Divides as f32, which holds about seven digits.
/// How many boxes an order needs.
pub fn boxes(bottles: u32, per_box: u32) -> u32 {
    (bottles as f32 / per_box as f32).ceil() as u32
}
