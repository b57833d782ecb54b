// Misconception: usize is as wide as on my machine. In Wasm it has 32 bits.
pub fn source_of(i: u32, old: u32, new: u32) -> u32 {
    let (i, old, new) = (i as usize, old as usize, new as usize);
    ((2 * i + 1) * old / (2 * new)) as u32
}

pub fn resize_row(row: &[u8], new: u32) -> Vec<u8> {
    if row.is_empty() {
        return vec![];
    }
    (0..new).map(|i| row[source_of(i, row.len() as u32, new) as usize]).collect()
}
