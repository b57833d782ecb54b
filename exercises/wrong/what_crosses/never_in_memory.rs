// Misconception: however many parameters there are, each of their numbers is passed by itself.
pub fn core_params(types: Vec<String>) -> Vec<String> {
    let mut flat = Vec::new();
    for kind in types {
        let mut inside = kind.as_str();
        while let Some(rest) = inside.strip_prefix("option<") {
            flat.push("i32");
            inside = rest.trim_end_matches('>');
        }
        match inside {
            "u64" | "s64" => flat.push("i64"),
            "f32" => flat.push("f32"),
            "f64" => flat.push("f64"),
            "string" => flat.extend(["i32", "i32"]),
            other if other.starts_with("list<") => flat.extend(["i32", "i32"]),
            _ => flat.push("i32"),
        }
    }
    flat.into_iter().map(String::from).collect()
}
