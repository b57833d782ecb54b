"""Answers that are text (TOML, YAML, a choice) and attack whoever reads them."""

from __future__ import annotations


def _laughs(levels: int, width: int = 9) -> str:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join([*lines, f"port: *a{levels - 1}"])


def _merges(levels: int, width: int = 9) -> str:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * width)}]}}" for n in range(1, levels)]
    return "\n".join([*lines, f"port: *a{levels - 1}"])


YAML = {
    "texts that mean much more": {
        "laughs": _laughs(12),
        "merges": _merges(12),
        "a list of itself": "port: &a [*a, *a]",
        "a table of itself": "&a {port: *a}",
        "deep": "port: " + "[" * 40_000,
        "deep and closed": "port: " + "[" * 5000 + "]" * 5000,
        "anchors": "\n".join(f"k{n}: &k{n} {n}" for n in range(6000)),
        "a key of keys": "? [[[a]]] : 1\n? {b: c} : 2",
    },
    "objects of Python": {
        "apply": "port: !!python/object/apply:os.system ['touch PATH.evil']",
        "module": "port: !!python/module:os",
        "name": "port: !!python/name:builtins.eval",
        "new": "!!python/object/new:pathlib.Path ['PATH']",
        "tuple": "port: !!python/tuple [8080]",
        "binary": "port: !!binary aGVsbG8=",
    },
    "numbers of YAML": {
        "sexagesimal": "port: 1" + ":59" * 20_000,
        "long": "port: " + "9" * 90_000,
        "hexadecimal": "port: 0x" + "f" * 90_000,
        "infinite": "port: .inf",
        "NaN": "port: .nan",
        "a date": "port: 9999-99-99",
    },
}

TOML = {
    "numbers and depth of TOML": {
        "long": "port = " + "9" * 90_000,
        "hexadecimal": "port = 0x" + "f" * 90_000,
        "many parts": "a." * 45_000 + "a = 1",
        "deep arrays": "port = " + "[" * 40_000 + "]" * 40_000,
        "deep tables": "port = " + "{a = " * 15_000 + "1" + "}" * 15_000,
        "deep headers": "[" + ".".join(["a"] * 20_000) + "]\nport = 1",
        "many tables": "\n".join(f"[[t{n}.a]]" for n in range(9000)),
        "NaN": "port = nan",
        "truth": "port = true",
        "an object that is equal": 'port = { __eq__ = "8080", __class__ = "int" }',
        "control characters": 'port = "\\u001b[2J\\u202e"',
        "a name of the judge's": "cases = 1\nwasm_lab_judge = 2\n__builtins__ = 3\nport = '8080'",
        "a date": "port = 2026-01-01T00:00:00Z",
    },
    "text that ends the cell": {
        "a magic": "port = 1\n%%bash\ntouch PATH.evil",
        "a shell": "!touch PATH.evil\nport = 1",
        "quotes": "''')\n__import__('os').system('touch PATH.evil')\n('''",
        "double quotes": '""")\n__import__("os").system("touch PATH.evil")\n("""',
        "a line of Python": "port = 8080 if True else __import__('os').system('touch PATH.evil')",
        "markers": "### BEGIN HIDDEN TESTS\nport = 1\n### END HIDDEN TESTS\n### END SOLUTION",
        "a surrogate": "port = '\\ud800'",
        "variables": "port = '{get_ipython()} $HOME {settings}'",
        "injected parameters": "# Parameters\nwasm_lab_judge = {'walls': false}\nport = 1",
    },
}

CHOICE = {
    "choices that are none": {
        "look-alikes": "y\u0435s",
        "both": "yes no",
        "a joiner": "ye\u200ds",
        "an option": "--choice maybe",
        "very long": "no " * 30_000,
        "HTML": "<script>alert(1)</script>",
        "a formula": "=yes",
        "nothing": "",
    },
}
