"""What to do next about a failed compile, where rustc itself cannot know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.source import EDITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

#: What rustc says of code that an earlier edition takes: (pattern, the construct, the last edition
#: that takes it). Source: https://doc.rust-lang.org/edition-guide/rust-2024/
_OLDER = (
    (r"found (?:reserved )?keyword `gen`", "`gen` as a name", "2021"),
    (r"extern blocks must be (?:marked )?unsafe", "`extern` without `unsafe`", "2021"),
    (r"unsafe attribute used without unsafe", "such attributes without `unsafe(…)`", "2021"),
    (r"creating a (?:shared|mutable) reference to mutable static", "references to `static mut`", "2021"),
    (r"never type fallback|the trait bound `!: ", "the old fallback of the never type", "2021"),
    (r"cannot (?:explicitly borrow|mutably borrow|write explicit|explicitly dereference)"
     r".*implicitly[- ]borrowing|binding modifiers may only be written|reference pattern not allowed under",
     "such patterns", "2021"),
    (r"call to unsafe function `(?:std::env::)?(?:set_var|remove_var)`", "`set_var` without `unsafe`", "2021"),
    (r"hidden type for `.*` captures lifetime", "what `impl Trait` captured before", "2021"),
    (r"reserved multi-hash token|invalid reserved|unprefixed guarded string", "such `#` before strings", "2021"),
    (r"expected .*found (?:reserved )?keyword `(?:async|await|dyn|try)`", "that name", "2015"),
    (r"prefix `\w+` is unknown", "a prefix before a string", "2018"),
    (r"trait objects must include the `dyn` keyword|expected a type, found a trait", "traits without `dyn`",
     "2018"),
    (r"`\.\.\.` range patterns are", "`...` in patterns", "2018"),
    (r"expected one of .*found `[,)]`", "parameters without names", "2015"),
)  # fmt: skip

#: What needs a later edition: (pattern, the construct, the first edition that takes it).
_NEWER = (
    (
        r"let chains are only allowed in Rust 2024|expected expression, found `let` statement",
        "let chains",
        "2024",
    ),
    (r"`async fn` is not permitted in Rust 2015|expected one of .*found `async`", "`async`", "2018"),
    (r"`await` is only allowed|`await` is a keyword in the 2018", "`await`", "2018"),
    (r"cannot find macro `(?:async|gen)`", "that block", "2024"),
)

#: Crates that a learner may expect to be there, with the version to ask for.
_VERSIONS = {"rand": "0.9", "serde": "1", "serde_json": "1", "regex": "1", "itertools": "0.14", "image": "0.25",
             "rayon": "1", "anyhow": "1", "thiserror": "2", "num": "0.4", "csv": "1", "chrono": "0.4"}  # fmt: skip

_NO_CRATE = (
    r"unresolved import `(?:::)?(\w+)",
    r"use of (?:undeclared crate or module|unresolved module or unlinked crate) `(\w+)`",
    r"cannot find (?:module or crate|crate) `(\w+)`",
    r"can't find crate for `(\w+)`",
)

#: What the sandbox has not: (pattern in the text of an error or in the code, advice).
_SANDBOX = (
    (r"`(?:wasm_bindgen|web_sys|js_sys)`",
     "wasm-bindgen is for a browser's JavaScript; here `pub fn` is called from Python without it."),
    (r"cannot find `(?:unix|windows|linux)` in `os`|unresolved import `std::os::(?:unix|windows|linux)",
     "The guest is a WASI program: it has no std::os::unix or std::os::windows, only std::os::wasi."),
    (r"`#\[panic_handler\]` function required",
     "Leave out #![no_std]: the standard library is there, and only what is used of it gets into the module."),
    (r"environment variable `(\w+)` not defined at compile time",
     "env! reads the compiler's environment; std::env::var reads the guest's, which --env NAME=VALUE sets."),
)  # fmt: skip


def edition_hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next about these errors, as one sentence or two; empty when rustc says enough.

    Tells of another edition for code that was written for one, of a header for a crate that the
    cell does not ask for, and of what the sandbox has not.

    Example:
        >>> from wasm_lab.diagnostic import Diagnostic
        >>> from wasm_lab.source import Source
        >>> error = Diagnostic(level="error", message="expected identifier, found reserved keyword `gen`")
        >>> edition_hint([error], Source(code="let gen = 1;", kind=Kind.STATEMENTS))
        'Edition 2024 refuses `gen` as a name; for code written for an older one, use --edition 2021.'
    """
    errors = [each for each in diagnostics if each.level == "error"]
    for error in errors:
        hint = _about_edition(error, source) or _about_sandbox(error) or _about_crate(error, source)
        if hint:
            return hint
    return ""


def _about_edition(error: Diagnostic, source: Source) -> str:
    said = f"{error.message}\n{error.rendered}"
    current = EDITIONS.index(source.edition) if source.edition in EDITIONS else len(EDITIONS) - 1
    for pattern, construct, last in _OLDER:
        if current > EDITIONS.index(last) and re.search(pattern, error.message):
            return (
                f"Edition {source.edition} refuses {construct}; for code written for an older one, "
                f"use --edition {last}."
            )
    for pattern, construct, first in _NEWER:
        if current < EDITIONS.index(first) and re.search(pattern, said):
            return f"Edition {source.edition} has no {construct}; use --edition {first}."
    return ""


def _about_crate(error: Diagnostic, source: Source) -> str:
    if error.code not in {"E0432", "E0433", "E0463"}:
        return ""
    for pattern in _NO_CRATE:
        found = re.search(pattern, error.message)
        name = found[1] if found else ""
        if not name or name in {"crate", "self", "super", "std", "core", "alloc"}:
            continue
        if not name[0].islower() or name in source.dependencies or _is_earlier_cell(name, source):
            continue
        if _defined_here(name, source.code):
            continue
        version = _VERSIONS.get(name, "*")
        return (
            f"If `{name}` is a crate, ask for it at the top of the code:\n"
            f'---\n[dependencies]\n{name} = "{version}"\n---'
        )
    return ""


def _is_earlier_cell(name: str, source: Source) -> bool:
    return any(used.name == name for used in source.uses)


def _defined_here(name: str, code: str) -> bool:
    return bool(re.search(rf"\b(?:mod|enum|struct|trait)\s+{re.escape(name)}\b", code))


def _about_sandbox(error: Diagnostic) -> str:
    return next((advice for pattern, advice in _SANDBOX if re.search(pattern, error.message)), "")
