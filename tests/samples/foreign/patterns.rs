// Pattern matching: ranges, guards, bindings, nesting, let-else, if-let chains, matches!.
#[derive(Debug)]
enum Message {
    Quit,
    Move { x: i32, y: i32 },
    Write(String),
    Colour(u8, u8, u8),
}

fn describe(message: &Message) -> String {
    match message {
        Message::Quit => "quit".into(),
        Message::Move { x: 0, y } => format!("straight by {y}"),
        Message::Move { x, y: up @ 1..=9 } => format!("{x} and a little ({up}) up"),
        Message::Move { x, y } if x == y => format!("diagonally by {x}"),
        Message::Move { .. } => "somewhere".into(),
        Message::Write(text) if text.is_empty() => "nothing".into(),
        Message::Write(text) => format!("{text:?}"),
        &Message::Colour(r, _, b) => format!("red {r} blue {b}"),
    }
}

fn parse(text: &str) -> Option<(&str, i32)> {
    let (name, number) = text.split_once('=')?;
    let Ok(number) = number.parse() else {
        return None;
    };
    Some((name, number))
}

fn main() {
    let messages = [
        Message::Quit,
        Message::Move { x: 0, y: -3 },
        Message::Move { x: 5, y: 7 },
        Message::Move { x: 20, y: 20 },
        Message::Write(String::from("hi")),
        Message::Colour(200, 100, 50),
    ];
    for message in &messages {
        println!("{}", describe(message));
    }
    println!("{:?} {:?}", parse("a=1"), parse("a=b"));
    if let Some((name, number)) = parse("depth=3")
        && number > 2
    {
        println!("{name} is large");
    }
    println!("{}", matches!('k', 'a'..='m' | 'z'));
}
//> quit
//> straight by -3
//> 5 and a little (7) up
//> diagonally by 20
//> "hi"
//> red 200 blue 50
//> Some(("a", 1)) None
//> depth is large
//> true
