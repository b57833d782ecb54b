// Uses the search of the standard library, which gives any of several places.
/// The index of the first place where the wanted number stands.
pub fn position(sorted: &[i32], wanted: i32) -> Option<usize> {
    sorted.binary_search(&wanted).ok()
}
