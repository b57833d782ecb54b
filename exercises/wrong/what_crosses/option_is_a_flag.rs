// Misconception: an option of a number is passed as that number, and a special value stands for nothing.
pub fn core_params(types: Vec<String>) -> Vec<String> {
    let mut flat = vec![];
    for kind in types {
        match kind.as_str() {
            "u64" | "s64" => flat.push("i64"),
            "f32" => flat.push("f32"),
            "f64" => flat.push("f64"),
            other if other == "string" || other.starts_with("list<") || other.starts_with("option<") => {
                flat.extend(["i32", "i32"])
            }
            _ => flat.push("i32"),
        }
    }
    if flat.len() > 16 {
        flat = vec!["i32"];
    }
    flat.into_iter().map(String::from).collect()
}
