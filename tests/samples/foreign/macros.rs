// Macros by example: repetition, recursion, a little language, hygiene.
use std::collections::HashMap;

macro_rules! hashmap {
    ($($key:expr => $value:expr),* $(,)?) => {{
        let mut map = HashMap::new();
        $(map.insert($key, $value);)*
        map
    }};
}

macro_rules! maximum {
    ($x:expr) => { $x };
    ($x:expr, $($rest:expr),+) => {{
        let (a, b) = ($x, maximum!($($rest),+));
        if a > b { a } else { b }
    }};
}

macro_rules! point {
    ($name:ident { $($field:ident : $type:ty),* }) => {
        #[derive(Debug, Default)]
        struct $name { $($field: $type),* }
        impl $name {
            fn fields() -> &'static [&'static str] { &[$(stringify!($field)),*] }
        }
    };
}

point!(Place { x: i32, y: f64 });

fn main() {
    let map = hashmap! { "a" => 1, "b" => 2, };
    println!("{} {}", map["a"], map.len());
    println!("{}", maximum!(3, 9, 4));
    println!("{:?} {:?}", Place::default(), Place::fields());
    println!("{} {}", line!(), module_path!().is_empty());
    assert_eq!(concat!("x", 1, true), "x1true", "never shown");
}
//> 1 2
//> 9
//> Place { x: 0, y: 0.0 } ["x", "y"]
//> 37 false
