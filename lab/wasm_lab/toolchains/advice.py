"""The exact commands that get what is missing, for each kind of machine."""

from __future__ import annotations

from wasm_lab.source import Target

TARGETS = " ".join(Target)
_ADD = f"target add {TARGETS}"


def rust_commands() -> str:
    """What a user can do to get a Rust compiler for the lab's targets, one way a line.

    Example:
        >>> "rustup target add wasm32-wasip1" in rust_commands()
        True
    """
    ways = (
        ("let the lab do it", "wasm-lab doctor --fix", "into a folder of its own, nothing else is changed"),
        ("with a rustup", f"rustup {_ADD}", ""),
        ("Debian, Ubuntu", f"sudo apt install rustup && rustup default stable && rustup {_ADD}", ""),
        ("Debian 13", "sudo apt install rustc cargo libstd-rust-dev-wasm32 lld", "for wasm32-wasip1 alone"),
        ("Fedora", "sudo dnf install rust cargo lld rust-std-static-wasm32-wasip1", ""),
        ("macOS", f"brew install rustup && rustup default stable && rustup {_ADD}", ""),
        ("Windows", f"winget install Rustlang.Rustup; rustup {_ADD}", "in a new terminal"),
        ("elsewhere", f"rustup {_ADD}", "after installing rustup as https://rustup.rs says"),
    )
    width = max(len(name) for name, _, _ in ways)
    lines = (f"  {name + ':':<{width + 1}} {command}{note and f'  # {note}'}" for name, command, note in ways)
    return "To get one:\n" + "\n".join(lines)
