// Misconception: a count can stand still, but never go back. The last writer may put an older number there.
pub fn counted(steps: &str) -> u32 {
    let mut store = 0_u32;
    let mut read = std::collections::BTreeMap::new();
    for visitor in steps.chars() {
        if let Some(seen) = read.remove(&visitor) {
            store = store.max(seen + 1);
        } else {
            read.insert(visitor, store);
        }
    }
    store
}
