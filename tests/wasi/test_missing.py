"""What is said of imports that nobody provides, in the language that the module was written in."""

from __future__ import annotations

import pytest

from wasm_lab.wasi.missing import explain_missing


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("zig", 'extern "NAME" fn log(…) …;'),
        ("c", 'import_module("NAME"), import_name("log")'),
        ("cpp", 'import_module("NAME"), import_name("log")'),
        ("go", "//go:wasmimport NAME log"),
    ],
)
def test_a_cell_that_imports_from_env_is_told_what_to_write(language, written):
    message, hint = explain_missing("cell", [("env", "log")], language=language)
    assert message == "cell imports what no host here provides: env.log. No JavaScript is around this guest."
    assert "Print instead" in hint
    assert written in hint


def test_a_module_made_elsewhere_may_lack_a_library():
    message, hint = explain_missing("lib.wasm", [("env", "sqrt")])
    assert "C symbols that no library defined" in message
    assert "link the library" in hint
