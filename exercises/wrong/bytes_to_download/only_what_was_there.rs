// Misconception: only what lay on the node before counts as present; what an earlier image has brought is fetched again.
pub fn download(images: Vec<Vec<(String, u64)>>, present: Vec<String>) -> u64 {
    images
        .iter()
        .flatten()
        .filter(|(digest, _)| !present.contains(digest))
        .map(|(_, size)| size)
        .sum()
}
