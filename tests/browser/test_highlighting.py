"""Cells that begin with one of our magics, in the language of the cell: JupyterLab and Notebook 7."""

from __future__ import annotations

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
    "%%answer choice --choice a,b\nfn = b",
    *OTHERS,
]

#: Run in the page. What the cell at `index` shows: for each line its classes, and its words with their colours.
SHOWN = """(index) => {
    const cell = document.querySelectorAll('.jp-Notebook .jp-Cell')[index];
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

    def editor(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".cm-content")

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate(
            "([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments]
        )

    def text(self, index: int) -> str:
        return str(
            self.page.evaluate(
                "(index) => window.jupyterapp.shell.currentWidget.content.model.cells.get(index)"
                ".sharedModel.getSource()",
                index,
            )
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
    _write(path, CELLS)
    lab_page.goto(lab.at(f"lab/workspaces/{secrets.token_hex(4)}/tree/{path.name}"))
    lab_page.locator(".jp-Notebook .jp-Cell").nth(len(CELLS) - 1).wait_for()
    return Open(lab_page, path, lab_page.evaluate(THEME))


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
    choice = opened.shown(len(LANGUAGES) + len(TABLES), magic=True)
    assert _words(choice) == {}


def test_each_magic_has_its_language_in_lab(opened: Open, screenshots: Path) -> None:
    _check_languages(opened)
    opened.page.screenshot(path=screenshots / "highlighting_lab_light.png")


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
