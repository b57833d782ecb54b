// Misconception: routes are sorted by kind as a whole: all literal first, then those with names, those with ... last.
pub fn answers(routes: &[String], path: &str) -> Option<String> {
    let split = |text: &str| -> Vec<String> {
        text.split('/').filter(|piece| !piece.is_empty()).map(String::from).collect()
    };
    let path = split(path);
    let mut best: Option<(u8, String)> = None;
    for route in routes {
        let mut pieces = split(route);
        let open = pieces.last().is_some_and(|last| last == "...");
        if open {
            pieces.pop();
        }
        if pieces.len() > path.len() || (!open && pieces.len() != path.len()) {
            continue;
        }
        if !pieces.iter().zip(&path).all(|(piece, given)| piece.starts_with(':') || piece == given) {
            continue;
        }
        let names = pieces.iter().any(|piece| piece.starts_with(':'));
        let kind = if open { 2 } else if names { 1 } else { 0 };
        if best.as_ref().is_none_or(|(before, _)| kind < *before) {
            best = Some((kind, route.clone()));
        }
    }
    best.map(|(_, route)| route)
}
