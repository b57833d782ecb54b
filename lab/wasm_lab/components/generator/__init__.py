"""The program that makes Rust bindings of WIT; see README.md."""
