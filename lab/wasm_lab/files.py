"""Files that someone brings: Rust and other languages to be built, Wasm or WAT made elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.source import LANGUAGE_NAMES, LANGUAGES, NATIVE, SCRIPTED, Profile, Target

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.session import Session
    from wasm_lab.source import Source


def artifact_of(
    session: Session, file: Path, options: dict[str, Any], *, progress: Progress | None = None
) -> Artifact:
    """The artifact of a .rs, .c, .cpp, .zig, .go, .py, .js, .wasm or .wat file.

    Args:
        options: ``profile``, and for Rust ``target`` and ``edition``, as `wasm_lab.options` parses them;
            ``world`` and ``wit`` (a path) for a file that implements a world.

    Raises:
        UsageError: the file cannot be read.
        LoadError, BuildError, ToolchainError: why there is no artifact.
    """
    if options.get("world") or options.get("wit"):
        return _of_world(session, file, options, progress)
    if file.suffix == ".rs":
        return session.compile(rust_source(file, options), progress=progress)
    language = language_of(file)
    if language:
        return session.compile(language_source(file, language, options), progress=progress)
    from wasm_lab.build.foreign import load_file

    return load_file(file)


def _of_world(session: Session, file: Path, options: dict[str, Any], progress: Progress | None) -> Artifact:
    from wasm_lab.components.text import check_path

    world, wit = options.get("world"), options.get("wit")
    if not (world and wit):
        raise UsageError(
            "--world and --wit go together: the contract, and which of its worlds the file implements.",
            hint="Such as --world calc --wit calc.wit; wasm-lab wit check calc.wit lists its worlds.",
        )
    language = language_of(file)
    if language in NATIVE or not (language or file.suffix == ".rs"):
        raise UnsupportedError(
            f"{file}: no component for a world is made of this.",
            hint="Rust (.rs), Python (.py) and JavaScript (.js) are.",
        )
    text = check_path(wit)
    session.wit_texts[text.name] = text
    source = language_source(file, language, options) if language else rust_source(file, options)
    return session.compile_world(source, world, progress=progress).artifact


def language_of(file: Path) -> str:
    """The language of a source file that is not Rust, by its ending; empty for all others."""
    return next((name for name in (*NATIVE, *SCRIPTED) if file.suffix in LANGUAGES[name]), "")


def language_source(file: Path, language: str, options: dict[str, Any]) -> Source:
    """The Source of a file in another language than Rust.

    Raises:
        UsageError: the file cannot be read, or is not text.
        UnsupportedError: an option is asked for that only Rust has.
    """
    from wasm_lab.cells.languages import parse_language_cell

    target = options.get("target")
    if target not in (None, Target.WASIP1):
        raise UnsupportedError(
            f"{file}: {LANGUAGE_NAMES[language]} is built for {Target.WASIP1} alone.",
            hint=f"Leave out --target {target}.",
        )
    source = parse_language_cell(
        _text(file, LANGUAGE_NAMES[language]),
        language=language,
        name=crate_name(file),
        label=str(file),
        profile=Profile(options["profile"]),
    )
    return replace(source, folder=str(file.absolute().parent))  # for ``#include "name.h"``


def _text(file: Path, language: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text (byte {error.start}), so it is no {language}.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def rust_source(file: Path, options: dict[str, Any], *, test: bool = False) -> Source:
    """The Source of a Rust file; ``test`` builds its ``#[test]`` functions.

    Raises:
        UsageError: the file cannot be read, or is not text.
        HeaderError: its frontmatter is wrong.
    """
    from wasm_lab.cells import parse_cell

    source = parse_cell(
        _text(file, "Rust"),
        name=crate_name(file),
        label=str(file),
        profile=Profile(options["profile"]),
        target=Target(options["target"]),
        edition=options["edition"],
        test=test,
    )
    return replace(source, folder=str(file.absolute().parent))  # for ``mod name;`` and ``include_str!``


def crate_name(file: Path) -> str:
    """A valid Rust crate name from a file's name: what Rust keeps for itself gets a line after it."""
    from wasm_lab.cells import RESERVED

    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in file.stem)
    if name in RESERVED:
        return f"{name}_"
    return f"_{name}" if not name or name[0].isdigit() else name
