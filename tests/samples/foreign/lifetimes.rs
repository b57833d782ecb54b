// Named lifetimes on functions and structs; 'static.
struct Excerpt<'a> {
    part: &'a str,
}

impl<'a> Excerpt<'a> {
    fn announce(&self, announcement: &str) -> &'a str {
        println!("Attention: {announcement}");
        self.part
    }
}

fn longest<'a>(x: &'a str, y: &'a str) -> &'a str {
    if x.len() > y.len() { x } else { y }
}

static GREETING: &str = "hello";

fn main() {
    let novel = String::from("Call me Ishmael. Some years ago...");
    let first = novel.split('.').next().expect("a sentence");
    let part;
    {
        let excerpt = Excerpt { part: first };
        part = excerpt.announce("a whale");
    }
    println!("{part}");
    println!("{}", longest(GREETING, part));
}
//> Attention: a whale
//> Call me Ishmael
//> Call me Ishmael
