// Formatting: alignment, signs, bases, names, debug trees, Unicode.
#[derive(Debug)]
#[allow(dead_code)]
struct Structure<'a> {
    name: &'a str,
    deep: Option<(u8, f32)>,
}

fn main() {
    println!("{0}, this is {1}. {1}, this is {0}", "Alice", "Bob");
    println!("{subject} {verb}", verb = "jumps", subject = "the fox");
    println!("[{:>8}] [{:<8}] [{:^8}] [{:*^9}]", "right", "left", "mid", "star");
    println!("{:08.3} {:+} {:#?}", 3.14159, 7, (1, "a"));
    let width = 6;
    println!("[{:>width$}] [{:.*}] [{:>1$}]", 1, 2, 1.23456, 5);
    println!("{:?} {:?} {}", "tab\t\"quote\" é", '\n', '\u{1F980}');
    println!("{:#?}", Structure { name: "x", deep: Some((1, 2.5)) });
    println!("{{}} {:5}|{:<5}|{:^5}|", 42, 42, 42);
    eprintln!("to standard error");
    print!("{:p}", std::ptr::null::<u8>());
}
//@ stderr: to standard error
//> Alice, this is Bob. Bob, this is Alice
//> the fox jumps
//> [   right] [left    ] [  mid   ] [**star***]
//> 0003.142 +7 (
//>     1,
//>     "a",
//> )
//> [     1] [1.23] [ 5]
//> "tab\t\"quote\" é" '\n' 🦀
//> Structure {
//>     name: "x",
//>     deep: Some(
//>         (
//>             1,
//>             2.5,
//>         ),
//>     ),
//> }
//> {}    42|42   | 42  |
//> 0x0
