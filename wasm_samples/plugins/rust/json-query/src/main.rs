//! The same plugin as a program: JSON lines on standard input and output.

fn main() -> std::io::Result<()> {
    pipe::serve(json_query::apply)
}
