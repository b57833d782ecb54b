"""What is seen in a JavaScript text: its imports and exports, and no word that only looks like one."""

from __future__ import annotations

import pytest

from wasm_lab.scenarios.edge.javascript import read


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('import a from "./a.js";', ["./a.js"]),
        ("import * as a from './a.js'", ["./a.js"]),
        ('import { a, b as c } from "x";\nimport "./y.js"', ["x", "./y.js"]),
        ('import{a}from"x";export*from"y";export{z}from"w"', ["x", "y", "w"]),
        ('const x = await import("./late.js");', ["./late.js"]),
        ('import {\n  a,\n  b,\n} from "./long.js";', ["./long.js"]),
        ('// import a from "./no.js"\n/* import b from "./no.js" */', []),
        ('const important = "from x"; exports = "y";', []),
        ('throw `write: import module from "./${name}.wasm"`; const a = \'import "x"\';', []),
        ('const url = "https://x"; import a from "./a.js"; // "', ["./a.js"]),
        ('const quote = /"/;\nimport a from "./a.js";', ["./a.js"]),
        ('export default { "fetch": 1 }', []),
        ('export default "x"', []),
        ('export { a };\n"x"', []),
        ('const p = /import "x"/; if (p) /import "y"/.test(""); [/[/]import "z"/];', []),
        ('const half = a / 2; import("./a.js"); b / 2', ["./a.js"]),
        ('f(a) / 2; import("./a.js"); b[0] / c++ / d', ["./a.js"]),
        ('`${ {a: `}"${1}`}.a }import "no"`; import "./a.js"', ["./a.js"]),
        ('`${await import("./a.js")}`', ["./a.js"]),
        ('vm.import("x"); this.#import("y"); ({ import: "z", export: "w" }); import.meta.url; "v"', []),
        ('import { from, "a b" as c } from "./a.js" with { type: "json" };', ["./a.js"]),
        ('export * as all from "./a.js"; export { default } from "./b.js"', ["./a.js", "./b.js"]),
        ('import("./part" + number + ".js")', []),
        ('"one \\\n import \'x\' \\" still"; import "./a.js"', ["./a.js"]),
        ('#!/usr/bin/env "node\nimport "./a.js"', ["./a.js"]),
    ],
)
def test_imports_are_seen(text, found):
    assert [name for name, _ in read(text).imports] == found


def test_lines_of_imports():
    assert read('/* one\n two */\nimport a from "./a.js";').imports == (("./a.js", 3),)


@pytest.mark.parametrize(
    "text",
    [
        "export default {};",
        "const a = {}; export { a as default };",
        'export { default } from "./a.js"',
        'export { a, default, } from "./a.js"',
        'export * as default from "./a.js"',
        'export { a as "default" }',
        "const a: Types = {};\nexport default { fetch() {} };",  # broken, as are these
        "export default {\n  fetch() {\n",
        "export\ndefault class {}",  # by this grammar
    ],
)
def test_a_default_export_is_seen(text):
    assert read(text).default
    assert read(text).exports


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("export const a = { default: 1, b: [1] };", True),
        ("export function f() { switch (1) { default: } }", True),
        ('export * from "./a.js"', True),  # passes on all but the default
        ('export { default as a } from "./a.js"', True),
        ('import { default as a } from "./a.js"', False),
        (
            "const goods = 'export default'; // export default\n`export default ${goods}`; /export default/",
            False,
        ),
        ("const o = { export: 1, default: 2 }; o.export; class A { export() {} }", False),
    ],
)
def test_what_is_no_default_export(text, exports):
    assert not read(text).default
    assert read(text).exports == exports


@pytest.mark.parametrize(
    ("text", "listens"),
    [
        ('addEventListener("fetch", f)', True),
        ('self.addEventListener ("fetch", f)', True),
        ('// addEventListener("fetch", f)', False),
        ("'addEventListener(1)'", False),
    ],
)
def test_who_listens_is_seen(text, listens):
    assert read(text).listens == listens


def test_a_text_that_breaks_off_is_read_to_its_end():
    for text in (
        'import "./a.js"; `${',
        'import "./a.js"; "',
        'import "./a.js"; /*',
        'import "./a.js"; export {',
        "import",
    ):
        assert [name for name, _ in read(text).imports] == ["./a.js"] * text.count("./a.js")
