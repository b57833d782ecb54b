"""Sphinx: the documentation as pages. ``make site`` puts the sources together first; see scripts/build_site.py."""

from __future__ import annotations

from typing import Any

from wasm_lab import __version__
from wasm_lab.cells.highlighting import CellLexer

project = "wasm-lab"
author = "the authors of wasm-lab"
copyright = author
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

html_theme = "furo"
html_title = f"wasm-lab {version}"
html_show_sourcelink = False
html_copy_source = False

# Documents link to headings of each other as GitHub makes their names.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Chapters come with the outputs of a run that the tests, or scripts/build_site.py, made.
nb_execution_mode = "off"
nb_merge_streams = True
nb_output_stderr = "show"
# A chart has a drawing that needs no script; with the first of these a page would load one.
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),
    ("html", "image/svg+xml", 10),
    ("html", "text/html", 20),
]
suppress_warnings = [
    "mystnb.unknown_mime_type",  # plotly's own form of a chart, beside its drawing
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
add_module_names = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
default_role = "literal"  # `name` in a docstring is code, as it is in Markdown

# What a page loads comes with it: no font, script or style of another host.
html_static_path = ["_static"]
html_css_files = ["site.css"]


def show_blocks_as_they_are(
    _app: Any, _what: str, _name: str, _thing: Any, _options: Any, lines: list[str]
) -> None:
    """A block of a docstring that is indented, after an empty line, is a picture or a text of its own."""
    shown: list[str] = []
    inside = False
    for before, line in zip(["", *lines], lines, strict=False):
        indented = line.startswith("    ")
        if line and not indented:
            inside = False
        if indented and not inside and not before:
            earlier = next((each for each in reversed(shown) if each), "")
            if not earlier.startswith(" ") and not earlier.endswith("::"):
                shown += ["::", ""]
                inside = True
        shown.append(line)
    lines[:] = shown


def setup(app: Any) -> None:
    """Cells of the lab's magics are highlighted in their language."""
    app.add_lexer("ipython3", CellLexer)
    app.connect(
        "autodoc-process-docstring", show_blocks_as_they_are, priority=100
    )  # before Google's sections
