"""What stands in a released exercise where a solution stood: in the language of the cell.

A place that ends a block of code gets an expression that stops the guest and has any type, so that the
released form compiles and fails its tests. Elsewhere only a comment can stand.
"""

from __future__ import annotations

import re

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.markers import BEGIN_SOLUTION, END_SOLUTION, comment_of

#: What stops a guest, in each language.
_STOPS = {
    "rust": "todo!()",
    "c": "__builtin_trap();",
    "cpp": "__builtin_trap();",
    "zig": '@panic("not written yet");',
    "go": 'panic("not written yet")',
    "js": 'throw new Error("not written yet");',
    "python": "raise NotImplementedError()",
}

#: Languages whose text is a value, and nothing that is called.
_TEXTS = {"toml", "yaml", "text", "markdown", "raw"}


def cleared(body: str, language: str, *, starter: str | None = None) -> str:
    """The body of an answer without its solutions, as a learner gets it.

    Args:
        body: below the magic line; without markers it is all solution.
        language: as `markers.language_of` has it.
        starter: what stands in place of the solution instead of a stub, such as a text to mend.

    Raises:
        ExerciseError: a solution has no end, or two begin; a starter, and not one solution.

    Example:
        >>> print(cleared("[trigger]\\n# ### BEGIN SOLUTION\\nroute = '/...'\\n# ### END SOLUTION", "toml"))
        [trigger]
        # Your answer here.
    """
    pieces, indents = _split(body)
    if starter is not None:
        return _started(pieces, starter)
    if not indents:
        return _stub(language, "", "", "")
    text = pieces[0]
    for number, (indent, after) in enumerate(zip(indents, pieces[1:], strict=True), start=1):
        stub = _stub(language, text, "".join(pieces[number:]), indent)
        text += stub + "\n" * bool(stub and after) + after
    return text.removesuffix("\n")


def _started(pieces: list[str], starter: str) -> str:
    """The text with the starter where its solution stood; all of it where nothing is marked."""
    if len(pieces) > 2:
        raise ExerciseError(
            f"There is a starter for one solution, and {len(pieces) - 1} solutions.",
            hint="Put both into one pair of markers, or leave the starter out.",
        )
    before, after = pieces if len(pieces) == 2 else ("", "")
    given = starter.removesuffix("\n")
    return (before + given + "\n" * bool(given and after) + after).removesuffix("\n")


def _split(body: str) -> tuple[list[str], list[str]]:
    """What stands around the solutions, and how far each is indented."""
    pieces, indents, inside = [""], [], False
    for line in body.splitlines(keepends=True):
        if BEGIN_SOLUTION in line:
            if inside:
                raise ExerciseError(f"Two solutions begin, and none ends between them: {line.strip()}")
            indents.append(line[: len(line) - len(line.lstrip())])
            pieces.append("")
            inside = True
        elif END_SOLUTION in line:
            if not inside:
                raise ExerciseError(f"A solution ends that has not begun: {line.strip()}")
            inside = False
        elif not inside:
            pieces[-1] += line
    if inside:
        raise ExerciseError("A solution has no end.", hint=f"Below it belongs a comment with {END_SOLUTION}")
    return pieces, indents


def _stub(language: str, before: str, after: str, indent: str) -> str:
    mark = comment_of(language)
    if language in ("markdown", "raw"):
        return "" if f"{before}{after}".strip() else "*Your answer here.*"
    if language in _TEXTS:
        return f"{indent}{mark} Your answer here."
    comment = f"{indent}{mark} Your code here."
    stop = _STOPS.get(language)
    return f"{comment}\n{indent}{stop}" if stop and _may_stop(language, before, after) else comment


def _may_stop(language: str, before: str, after: str) -> bool:
    """Whether a statement that never comes back fits between the two."""
    if language == "rust":
        return _ends_rust_block(before, after)
    if language == "python":
        following = re.sub(r"^\s*#.*\n?", "", after, flags=re.MULTILINE).lstrip("\n")
        return not following[:1].isspace()
    # In a function of C and its like: inside of braces that follow a parameter list or a return type, where
    # nothing but a brace follows.
    code = re.sub(r'"(?:\\.|[^"\\])*"|//[^\n]*', "", before)
    inside = code.count("{") > code.count("}")
    return inside and re.sub(r"//[^\n]*", "", after).lstrip().startswith("}")


def _ends_rust_block(before: str, after: str) -> bool:
    """Whether an expression there would be the last thing in a block of code, or the only one of the cell."""
    from wasm_lab.cells.syntax import rust_tree

    stop = _STOPS["rust"]
    start = len(before.encode())
    node = rust_tree(f"{before}{stop}\n{after}").descendant_for_byte_range(start, start + len(stop.encode()))
    while node is not None and node.type not in ("macro_invocation", "expression_statement"):
        node = node.parent
    if node is not None and node.parent is not None and node.parent.type == "expression_statement":
        node = node.parent
    if node is None or node.parent is None or node.parent.type not in ("block", "source_file"):
        return False
    beside = [each for each in node.parent.named_children if not each.type.endswith("comment")]
    if node.parent.type == "source_file":
        return len(beside) == 1
    return beside[-1] == node
