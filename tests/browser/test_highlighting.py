"""Cells that begin with one of our magics, in the language of the cell: JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.slow

RUST = """%%wasm_rust --name first --profile size
---
[dependencies]
itoa = "1"
---
/// Twice as much.
pub fn twice(n: i32) -> i32 {
    let text = "two";
    println!("{text}");
    2 * n
}"""

C = "int twice(int n) { return 2 * n; } // a comment"

#: Cells, and a word of each that has the colour of keywords in its language, and none in Python.
LANGUAGES = {
    "rust": (RUST, "fn"),
    "wasm rust": ("%%wasm rust\nfn main() {} // a comment", "fn"),
    "c": (f"%%wasm c --name twice\n{C}", "return"),
    "cpp": (f'%%wasm cpp\nextern "C" {C}', "extern"),
    "go": ("%%wasm go\npackage main\n\nfunc main() {} // a comment", "func"),
    "zig": ("%%wasm zig\nexport fn twice(n: i32) i32 { return 2 * n; } // a comment", "fn"),
    "python": ("%%wasm python\ndef twice(n): return 2 * n  # a comment", "def"),
    "js": ("%%wasm js\nfunction twice(n) { return 2 * n; } // a comment", "function"),
    "js_twin": ("%%js_twin twice\nfunction twice(n) { return 2 * n; } // a comment", "function"),
    "worker": ("%%worker hi\nexport default { fetch() { return null } } // a comment", "export"),
    "wit": ("%%wit calc\nworld calc { /* a comment */\n  export add: func(a: s32) -> u8;\n}", "world"),
    "answer wit": ("%%answer tea\n// a comment\npackage demo:tea;\nworld tea {}", "world"),
    "stanza": ("\n\n  %%wasm_rust\n  fn main() {} // a comment", "fn"),  # as IPython permits
}

#: Cells that have no keywords, and a word with the colour that its language gives it.
TABLES = {
    "spin_app": ('%%spin_app river\n[application] # a comment\nname = "river"', '"river"', "string"),
    "answer toml": ('%%answer told --toml\nname = "river" # a comment', '"river"', "string"),
    "answer seen": ('%%answer seen\n# a comment\n[app]\nname = "river"', '"river"', "string"),
    "answer yaml": ('%%answer pod # a comment\napiVersion: "v1"\nkind: Pod # a comment', '"v1"', "string"),
}

#: Cells that are none of ours.
OTHERS = (
    "import math  # a comment",
    "%%time\n%%wasm_rust\nfn main() {}",
    "# a comment\n%%wasm_rust\nfn main() {}",
    "%%wasm_rusty\nfn main() {}",
    "%%wasm cobol\nfn main() {}",
    "%%bash\nfn main",
    "%wasm_run main.rs",
    "print('%%wasm_rust')\nfn = 1",
)

CELLS = [
    *(text for text, _ in LANGUAGES.values()),
    *(text for text, _, _ in TABLES.values()),
    "%%answer choice --choice a,b\n# one of them\nfn = b",
    *OTHERS,
]

#: The same with a long cell, and so many others that not all are drawn.
LONG = [f"pub fn f{at}(n: i32) -> i32 {{ n + {at} }} // {'x' * 60}" for at in range(4000)]
ALL = [
    *CELLS,
    "\n".join(["%%wasm_rust", *LONG, "fn last() {}"]),
    *(f"%%wasm_rust --name cell{at}\nfn main() {{\n\n\n\n}}" for at in range(100)),
]

#: Run in the page. What the cell at `index` shows: for each line its classes, and its words with their colours.
SHOWN = """(index) => {
    const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
    const cell = panel.querySelector(`.jp-Cell[data-windowed-list-index="${index}"]`)
        ?? panel.querySelectorAll('.jp-Cell')[index];
    if (!cell) return [];
    return [...cell.querySelectorAll('.cm-line')].map((line) => ({
        text: line.textContent,
        magic: line.classList.contains('wasm-lab-magic'),
        header: line.classList.contains('wasm-lab-header'),
        plain: getComputedStyle(line).color,
        words: Object.fromEntries([...line.querySelectorAll('span')].map(
            (each) => [each.textContent, getComputedStyle(each).color])),
    }));
}"""

#: Run in the page. The colours that Jupyter's theme gives to kinds of words.
THEME = """() => {
    const probe = document.body.appendChild(document.createElement('i'));
    const colour = (name) => {
        probe.style.color = `var(--jp-mirror-editor-${name}-color)`;
        return getComputedStyle(probe).color;
    };
    const names = ['keyword', 'comment', 'string', 'variable-3', 'builtin', 'error'];
    const found = Object.fromEntries(names.map((each) => [each, colour(each)]));
    probe.remove();
    return found;
}"""

#: Run in the page. The contrast of each word of magic lines and headers with what is behind it, as WCAG 2.2
#: defines contrast ratio (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
CONTRASTS = """() => {
    const parts = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
    const over = (top, under) => Object.fromEntries(['r', 'g', 'b'].map(
        (each) => [each, top[each] * top.a + under[each] * (1 - top.a)]));
    const light = ({r, g, b}) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]].reduce((sum, [value, weight]) => {
        const part = value / 255;
        return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    }, 0);
    const behind = (node) => {
        const layers = [];
        for (let at = node; at; at = at.parentElement) layers.push(parts(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce((under, top) => over(top, under), {r: 255, g: 255, b: 255});
    };
    return [...document.querySelectorAll('.wasm-lab-magic, .wasm-lab-magic span, .wasm-lab-fence')].map((node) => {
        const under = behind(node);
        const [a, b] = [light(over(parts(getComputedStyle(node).color), under)), light(under)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
}"""


def _write(path: Path, cells: list[str]) -> bytes:
    notebook = new_notebook(cells=[new_code_cell(each, id=f"cell-{at}") for at, each in enumerate(cells)])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)
    return path.read_bytes()


@dataclass
class Open:
    """A notebook open in one page."""

    page: Page
    path: Path
    theme: dict[str, str]

    def shown(self, index: int, *, magic: bool, word: str = "") -> list[dict[str, Any]]:
        """What a cell shows, once it has a magic line, or none, and ``word`` has a colour."""
        until = time.monotonic() + 60
        while True:
            lines: list[dict[str, Any]] = self.page.evaluate(SHOWN, index)
            ready = any(line["magic"] for line in lines) == magic and (not word or word in _words(lines))
            if ready or time.monotonic() > until:
                return lines
            self.page.wait_for_timeout(20)

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate(
            "([name, given]) => window.jupyterapp.commands.execute(name, given).then(() => null)",
            [name, arguments],
        )

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Run a script in the page with ``notebook``, ``cells`` and ``given`` at hand."""
        return self.page.evaluate(
            f"""(given) => {{
                const notebook = window.jupyterapp.shell.currentWidget.content;
                const cells = notebook.model.cells;
                {script}
            }}""",
            argument,
        )

    def text(self, index: int = 0) -> str:
        return str(self.evaluate("return cells.get(given).sharedModel.getSource()", index))

    def lines(self) -> list[str]:
        return self.text().split("\n")

    def put(self, text: str, *, line: int, column: int = 0) -> None:
        """Put a text into the first cell, and the cursor into a line of it, counted from 1."""
        self.evaluate("cells.get(0).sharedModel.setSource(given)", text)
        self.evaluate(
            """
            const editor = notebook.widgets[0].editor;
            editor.focus();
            editor.setCursorPosition({line: given[0] - 1, column: given[1]});
            """,
            [line, column],
        )


def _words(lines: list[dict[str, Any]]) -> dict[str, str]:
    """The colour of each word, leaving out magic lines."""
    return {word: colour for line in lines if not line["magic"] for word, colour in line["words"].items()}


@pytest.fixture(scope="module")
def lab_page(context: BrowserContext, lab: Any) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    page.close()


@pytest.fixture(scope="module")
def opened(lab_page: Page, lab: Any) -> Open:
    path = lab.folder / "highlighting.ipynb"
    _write(path, ALL)
    lab_page.goto(lab.at(f"lab/workspaces/{secrets.token_hex(4)}/tree/{path.name}"))
    lab_page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).wait_for()
    return Open(lab_page, path, lab_page.evaluate(THEME))


@pytest.fixture
def scratch(opened: Open) -> Iterator[Open]:
    """The notebook with a cell of Python before all others."""
    opened.evaluate("notebook.activeCellIndex = 0; notebook.mode = 'command'")
    opened.command("notebook:insert-cell-above")
    opened.page.wait_for_function(
        "(count) => window.jupyterapp.shell.currentWidget.content.model.cells.length === count",
        arg=len(ALL) + 1,
    )
    opened.evaluate("notebook.activeCellIndex = 0; notebook.mode = 'edit'")
    yield opened
    while opened.evaluate("return cells.length") > len(ALL):
        opened.evaluate("notebook.model.sharedModel.deleteCell(0)")


def _check_languages(opened: Open) -> None:
    theme = opened.theme
    for at, (name, (text, keyword)) in enumerate(LANGUAGES.items()):
        lines = opened.shown(at, magic=True, word=keyword)
        words = _words(lines)
        assert words.get(keyword) == theme["keyword"], (name, lines)
        assert "\n".join(line["text"] for line in lines) == text
        comments = [word for word, colour in words.items() if colour == theme["comment"]]
        assert any("a comment" in each or "Twice" in each for each in comments), (name, lines)
    for at, (name, (_, word, kind)) in enumerate(TABLES.items(), len(LANGUAGES)):
        lines = opened.shown(at, magic=True, word=word)
        assert _words(lines).get(word) == theme[kind], (name, lines)
    choice = opened.shown(len(LANGUAGES) + len(TABLES), magic=True, word="# one of them")
    assert _words(choice) == {"# one of them": theme["comment"]}


def test_each_magic_has_its_language_in_lab(opened: Open) -> None:
    _check_languages(opened)


def test_the_magic_line_is_a_line_of_its_own(opened: Open) -> None:
    first, *rest = opened.shown(0, magic=True)
    assert first["magic"]
    assert list(first["words"]) == ["%%wasm_rust", "--name", "--profile"]
    assert len(set(first["words"].values())) == 1
    assert opened.theme["error"] not in first["words"].values()
    assert [line["magic"] for line in rest] == [False] * len(rest)


def test_the_header_of_a_rust_cell_is_toml(opened: Open) -> None:
    opened.shown(0, magic=True, word='"1"')
    lines = opened.shown(0, magic=True, word="fn")
    assert [line["text"] for line in lines if line["header"]] == [
        "---",
        "[dependencies]",
        'itoa = "1"',
        "---",
    ]
    words = _words(lines)
    assert words['"1"'] == words['"two"'] == opened.theme["string"]
    assert words["i32"] == opened.theme["variable-3"]
    assert (
        words["println"] == words["!"] == opened.theme["builtin"] if "println" in words else words["println!"]
    )


def test_other_cells_stay_as_they_are(opened: Open) -> None:
    opened.shown(0, magic=True, word="fn")  # Rust is loaded
    first = len(CELLS) - len(OTHERS)
    for at, text in enumerate(OTHERS, first):
        lines = opened.shown(at, magic=False)
        assert not any(line["magic"] or line["header"] for line in lines), text
        assert "fn" not in {
            word for word, colour in _words(lines).items() if colour == opened.theme["keyword"]
        }


def test_it_follows_what_is_typed_undone_and_pasted(scratch: Open) -> None:
    keyboard, theme = scratch.page.keyboard, scratch.theme
    scratch.put("", line=1)
    keyboard.type("pub fn main")
    assert "fn" not in _words(scratch.shown(0, magic=False))
    keyboard.press("Control+Home")
    keyboard.type("%%wasm_rust --quiet")
    keyboard.press("Enter")
    assert _words(scratch.shown(0, magic=True, word="fn"))["fn"] == theme["keyword"]
    for _ in range(30):
        if "%%wasm_rust" in scratch.text():
            keyboard.press("Control+z")
    scratch.shown(0, magic=False)
    scratch.put("%%wasm_rust\nfn main() {}", line=1)
    scratch.shown(0, magic=True, word="fn")
    keyboard.press("End")
    for _ in "_rust":
        keyboard.press("Backspace")
    scratch.shown(0, magic=False)  # %%wasm without a language
    keyboard.type(" c")
    assert scratch.text() == "%%wasm c\nfn main() {}"
    assert "main" in _words(scratch.shown(0, magic=True, word="main"))
    keyboard.press("Control+a")
    scratch.page.evaluate("(text) => navigator.clipboard.writeText(text)", "%%wit w\nworld w {}")
    keyboard.press("Control+v")
    assert _words(scratch.shown(0, magic=True, word="world"))["world"] == theme["keyword"]


def test_comments_are_those_of_the_language(scratch: Open) -> None:
    press = scratch.page.keyboard.press
    for text, line, expected in (
        ("%%wasm_rust\nfn main() {}", 2, "// fn main() {}"),
        ("%%wasm_rust\n---\nedition = 1\n---\nfn main() {}", 3, "# edition = 1"),
        ("%%wasm_rust\nfn main() {}", 1, "# %%wasm_rust"),
        ("%%wasm_rust\n", 2, "// "),
        ("%%wit w\nworld w {}", 2, "// world w {}"),
        ("%%wasm python\nprint()", 2, "# print()"),
        ("%%spin_app a\nname = 1", 2, "# name = 1"),
        ("import math", 1, "# import math"),
    ):
        scratch.put(text, line=line)
        scratch.shown(0, magic=text.startswith("%%"))
        press("Control+/")
        assert scratch.lines()[line - 1] == expected
        if expected == "# %%wasm_rust":
            scratch.shown(0, magic=False)
        press("Control+/")
        assert scratch.text().rstrip() == text.rstrip()
    scratch.put("%%wasm_rust\nfn main() {\n}", line=1)
    press("Control+a")
    press("Control+/")
    assert scratch.lines() == ["# %%wasm_rust", "# fn main() {", "# }"], (
        "a cell of Python, which does nothing"
    )
    press("Control+/")
    assert scratch.lines() == ["%%wasm_rust", "fn main() {", "}"]


def test_indentation_is_that_of_the_language(scratch: Open) -> None:
    keyboard = scratch.page.keyboard
    for magic, typed, expected in (
        ("%%wasm_rust", ["fn main() {", "if true {", "x();", "}", "}"], [0, 4, 8, 4, 0]),
        ("%%wasm go", ["func main() {", "x()", "}"], [0, "\t", 0]),
        ("%%wasm zig", ["pub fn main() void {", "x();", "}"], [0, 4, 0]),
        ("%%wit w", ["interface a {", "f: func();", "}"], [0, 2, 0]),
        ("%%wasm python", ["def main():", "x()"], [0, 4]),
        ("%%wasm_rust\n---\n[dependencies]\n---", ["fn main() {", "x();", "}"], [0, 4, 0]),
    ):
        scratch.put(f"{magic}\n", line=magic.count("\n") + 2)
        scratch.shown(0, magic=True)
        # Once the language is there, indentation comes from its tree.
        keyboard.type(typed[0])
        scratch.page.wait_for_timeout(50)
        for line in typed[1:]:
            keyboard.press("Enter")
            keyboard.type(line)
        indents = [each if isinstance(each, str) else " " * each for each in expected]
        assert scratch.lines()[magic.count("\n") + 1 :] == [
            a + b for a, b in zip(indents, typed, strict=True)
        ]


def test_brackets_match(scratch: Open) -> None:
    scratch.put('%%wasm_rust\nfn main() { let s = "}"; }', line=2, column=11)
    scratch.shown(0, magic=True, word="fn")
    matched = scratch.page.locator(".jp-Cell .cm-matchingBracket, .jp-Cell .cm-focused .cm-matchingBracket")
    matched.first.wait_for()
    at = scratch.evaluate(
        """
        const view = notebook.widgets[0].editor.editor;
        return [...view.contentDOM.querySelectorAll('.cm-matchingBracket')].map((each) => view.posAtDOM(each));
        """
    )
    assert at == [len("%%wasm_rust\nfn main() "), len('%%wasm_rust\nfn main() { let s = "}"; ')]


def test_cells_are_copied_split_merged_and_changed(scratch: Open) -> None:
    keyword = scratch.theme["keyword"]
    scratch.put("%%wasm_rust\nfn main() {}\nimport math", line=3)
    scratch.command("notebook:split-cell-at-cursor")
    assert _words(scratch.shown(0, magic=True, word="fn"))["fn"] == keyword
    assert _words(scratch.shown(1, magic=False, word="import"))["import"] == keyword
    scratch.evaluate("notebook.activeCellIndex = 0; notebook.mode = 'command'")
    scratch.command("notebook:merge-cell-below")
    assert "import" not in _words(scratch.shown(0, magic=True, word="fn"))
    scratch.command("notebook:copy-cell")
    scratch.command("notebook:paste-cell-below")
    assert _words(scratch.shown(1, magic=True, word="fn"))["fn"] == keyword
    scratch.command("notebook:move-cell-up")
    assert _words(scratch.shown(0, magic=True, word="fn"))["fn"] == keyword
    scratch.command("notebook:change-cell-to-markdown")
    scratch.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.content.activeCell.model.type === 'markdown'"
    )
    assert not any(line["magic"] for line in scratch.shown(0, magic=False))
    scratch.command("notebook:change-cell-to-code")
    assert _words(scratch.shown(0, magic=True, word="fn"))["fn"] == keyword


def test_another_kernel_s_cells_stay_as_they_are(scratch: Open) -> None:
    become = "cells.get(0).mimeType = given"
    scratch.put("%%wasm_rust\nfn main() {}", line=1)
    scratch.shown(0, magic=True, word="fn")
    scratch.evaluate(become, "text/x-sh")
    assert not any(line["magic"] for line in scratch.shown(0, magic=False))
    scratch.evaluate(become, "text/plain")  # as long as there is no kernel: the notebook says it is Python's
    scratch.shown(0, magic=True, word="fn")
    scratch.evaluate(become, "text/x-sh")
    scratch.shown(0, magic=False)
    scratch.evaluate(become, "text/x-ipython")
    assert "fn" in _words(scratch.shown(0, magic=True, word="fn"))


def test_tab_asks_the_kernel(scratch: Open) -> None:
    scratch.page.wait_for_function(
        """() => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel;
            return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
        }"""
    )
    scratch.evaluate(
        """
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        return kernel.requestExecute({code: '%load_ext wasm_lab'}).done.then(() => null);
        """
    )
    scratch.put("%%wasm_rust --prof\nfn main() {}", line=1, column=len("%%wasm_rust --prof"))
    scratch.shown(0, magic=True)
    scratch.page.keyboard.press("Tab")
    scratch.page.locator(".jp-Completer .jp-Completer-item", has_text="--profile").wait_for()
    scratch.page.keyboard.press("Enter")
    assert scratch.lines()[0] == "%%wasm_rust --profile"


def test_cells_out_of_sight_are_shown_when_they_are_drawn(opened: Open) -> None:
    opened.evaluate("notebook.scrollToItem(given, 'center')", len(ALL) - 1)
    assert _words(opened.shown(len(ALL) - 1, magic=True, word="fn"))["fn"] == opened.theme["keyword"]


def test_a_long_cell_is_read_to_its_end(opened: Open) -> None:
    opened.evaluate("notebook.activeCellIndex = given; notebook.mode = 'edit'", len(CELLS))
    opened.evaluate(
        """
        const view = notebook.widgets[given].editor.editor;
        view.dispatch({selection: {anchor: view.state.doc.length}, scrollIntoView: true});
        """,
        len(CELLS),
    )
    opened.page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-Notebook .cm-line')].some(
            (line) => line.textContent === 'fn last() {}' && line.querySelector('span')?.textContent === 'fn')"""
    )


def test_nothing_of_it_is_saved(scratch: Open) -> None:
    before = json.loads(scratch.path.read_text())
    scratch.put("%%wasm_rust\nfn main() {}", line=1)
    scratch.shown(0, magic=True, word="fn")
    scratch.command("docmanager:save")
    scratch.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    after = json.loads(scratch.path.read_text())
    # What Jupyter adds by itself: the name of a cell, and what it learnt of the kernel.
    new = after["cells"].pop(0)
    assert new["metadata"].keys() <= {"trusted"}
    assert after["cells"] == before["cells"]
    assert after["metadata"].keys() == before["metadata"].keys() == {"kernelspec", "language_info"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_magic_lines_have_contrast(opened: Open, screenshots: Path, theme: str) -> None:
    opened.shown(0, magic=True, word="fn")
    try:
        _change_theme(opened, theme)
        opened.page.wait_for_function(f"() => Math.min(...({CONTRASTS})()) > 4.5")
    finally:
        opened.page.screenshot(path=screenshots / f"highlighting_lab_{theme}.png")
        _change_theme(opened, "light")  # it is kept for all pages of the server


def _change_theme(opened: Open, theme: str) -> None:
    opened.command("apputils:change-theme", theme=f"JupyterLab {theme.title()}")
    opened.page.wait_for_function(
        "(light) => document.body.dataset.jpThemeLight === light", arg="true" if theme == "light" else "false"
    )


def test_each_magic_has_its_language_in_notebook_7(
    lab_page: Page, lab: Any, opened: Open, screenshots: Path
) -> None:
    page = lab_page.context.new_page()
    page.set_default_timeout(60_000)
    path = lab.folder / "notebook7.ipynb"
    _write(path, CELLS)
    page.goto(lab.at(f"notebooks/{path.name}"))
    page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).wait_for()
    here = Open(page, path, page.evaluate(THEME))
    try:
        _check_languages(here)
    finally:
        page.screenshot(path=screenshots / "highlighting_notebook7.png")
        page.close()
