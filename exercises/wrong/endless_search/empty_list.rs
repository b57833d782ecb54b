// Mends the loop and the lower end, and still takes 1 from the length of an empty list.
/// The index of the first place where the wanted number stands.
pub fn position(sorted: &[i32], wanted: i32) -> Option<usize> {
    let mut low = 0;
    let mut high = sorted.len() - 1;
    while low < high {
        let middle = (low + high) / 2;
        if sorted[middle] < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if sorted[low] == wanted { Some(low) } else { None }
}
