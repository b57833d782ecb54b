// Misconception: for four to two and for widening it is right, so it is right: half a step may be rounded first.
pub fn source_of(i: u32, old: u32, new: u32) -> u32 {
    let step = old / new;
    i * old / new + step / 2
}

pub fn resize_row(row: &[u8], new: u32) -> Vec<u8> {
    if row.is_empty() {
        return vec![];
    }
    (0..new).map(|i| row[source_of(i, row.len() as u32, new) as usize]).collect()
}
