"""Reading cells of C, C++, Zig and Go: their kind, what they export, and why a function cannot cross."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.cells.languages import language_of_file, parse_language_cell, read_code
from wasm_lab.cells.languages.c import Main, find_main
from wasm_lab.errors import HeaderError, UnsupportedError
from wasm_lab.source import Kind


def functions(language: str, code: str):
    return {each.name: each for each in read_code(language, code).functions}


def forms(signature) -> list[tuple[str, str]]:
    return [
        (each.name, each.type.name + "".join(f" of {arg.name}" for arg in each.type.args))
        for each in signature.parameters
    ]


@pytest.mark.parametrize(
    ("language", "code", "kind"),
    [
        ("c", "int main(void) { return 0; }", Kind.PROGRAM),
        ("c", "int f(int a) { return a; }", Kind.FUNCTIONS),
        ("c", "static int main2(void) { return 0; }", Kind.FUNCTIONS),
        ("c", "#if 1\nint main(int argc, char **argv) { return argc; }\n#endif", Kind.PROGRAM),
        ("cpp", "auto main() -> int { }", Kind.PROGRAM),
        ("cpp", 'extern "C" int f() { return 1; }', Kind.FUNCTIONS),
        ("zig", "pub fn main() !void {}", Kind.PROGRAM),
        ("zig", "fn main() void {}", Kind.FUNCTIONS),
        ("go", "package main\nfunc main() { println(1) }", Kind.PROGRAM),
        ("go", "package main\n//go:wasmexport f\nfunc f() {}\nfunc main() {}", Kind.FUNCTIONS),
        ("go", "package main\n//go:wasmexport f\nfunc f() {}", Kind.FUNCTIONS),
        ("go", "package main\n//go:wasmexport f\nfunc f() {}\nfunc main() { f() }", Kind.PROGRAM),
        ("go", "package main\nfunc f() {}", Kind.PROGRAM),
    ],
)
def test_a_main_makes_a_program(language, code, kind):
    assert read_code(language, code).kind is kind


C = """\
#include <stddef.h>
typedef unsigned int number;
/* Adds. */
number add(number a, const unsigned long long b) { return a; }
double mean(const double *restrict xs, size_t n) { return 0; }
void fill(float out[], int count, float v) { }
void bytes(void *to, size_t n, const void *from, size_t m) { }
const char *name(const char *text, char letter) { return text; }
int part(const char *text, size_t length) { return 0; }
static int inner(int a) { return a; }
static inline int quick(int a) { return a; }
__attribute__((export_name("other"))) bool renamed(_Bool x) { return x; }
"""


def test_c_functions_and_their_forms():
    found = functions("c", C)
    assert list(found) == ["add", "mean", "fill", "bytes", "name", "part", "other"]
    assert forms(found["add"]) == [("a", "u32"), ("b", "u64")]
    assert found["add"].result.name == "u32"
    assert (found["add"].doc, found["add"].line) == ("Adds.", 4)
    assert found["add"].text == "number add(number a, const unsigned long long b)"
    assert forms(found["mean"]) == [("xs", "slice of f64")]
    assert forms(found["fill"]) == [("out", "slice mut of f32"), ("v", "f32")]
    assert forms(found["bytes"]) == [("to", "slice mut of u8"), ("from", "slice of u8")]
    assert forms(found["name"]) == [("text", "cstr"), ("letter", "i8")]
    assert found["name"].result.name == "cstr"
    assert forms(found["part"]) == [("text", "str")]
    assert forms(found["other"]) == [("x", "bool")]
    assert not any(each.obstacle for each in found.values())


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("c", "EMSCRIPTEN_KEEPALIVE int f(int a) { return a; }"),
        ("c", "int EMSCRIPTEN_KEEPALIVE f(int a) { return a; }"),
        ("c", '#define EXPORT __attribute__((visibility("default")))\nEXPORT int f(int a) { return a; }'),
        ("c", "#ifndef KEEP\n#define KEEP\n#endif\nKEEP\nint f(int a) { return a; }"),
        ("cpp", '#define API extern "C" __attribute__((used))  // as a mark\nAPI int f(int a) { return a; }'),
        ("cpp", 'extern "C" {\nEMSCRIPTEN_KEEPALIVE int f(int a) { return a; }\n}'),
    ],
)
def test_a_macro_that_marks_a_function_is_no_type(language, code):
    [signature] = read_code(language, code).functions
    assert (signature.name, forms(signature), signature.result.name) == ("f", [("a", "i32")], "i32")
    assert signature.obstacle == ""
    assert signature.line == 1 + code[: code.index("int ")].count("\n")


def test_a_mark_does_not_hide_that_a_name_is_mangled():
    [signature] = read_code("cpp", "EMSCRIPTEN_KEEPALIVE int f(int a) { return a; }").functions
    assert 'extern "C" int f(int a)' in signature.obstacle


def test_zig_functions_and_their_forms():
    found = functions(
        "zig",
        "/// Adds.\nexport fn add(a: i32, b: c_int) i32 { return a + b; }\n"
        "export fn sum(xs: [*]const f64, n: usize) callconv(.c) f64 { return xs[n]; }\n"
        "export fn fill(out: [*]u16, n: usize) void {}\n"
        "export fn name(text: [*:0]const u8) [*:0]const u8 { return text; }\n"
        "pub fn inner() void {}\n",
    )
    assert list(found) == ["add", "sum", "fill", "name"]
    assert found["add"].doc == "Adds."
    assert forms(found["sum"]) == [("xs", "slice of f64")]
    assert forms(found["fill"]) == [("out", "slice mut of u16")]
    assert (forms(found["name"]), found["name"].result.name) == ([("text", "cstr")], "cstr")


def test_go_functions_go_by_their_exported_names():
    found = functions(
        "go",
        "package main\n// Adds.\n//\n//go:wasmexport add\nfunc plus(a, b int32, text string) int64 { return 0 }\n"
        "//go:wasmexport sum\nfunc sum(xs *float64, n uint32) float64 { return 0 }\n"
        "// Not exported.\nfunc other() {}\nfunc main() {}\n",
    )
    assert list(found) == ["add", "sum"]
    assert (found["add"].doc, forms(found["add"])) == ("Adds.", [("a", "i32"), ("b", "i32"), ("text", "str")])
    assert forms(found["sum"]) == [("xs", "slice mut of f64")]


@pytest.mark.parametrize(
    ("language", "code", "reason"),
    [
        ("c", "int f(int *p) { return *p; }", "parameter p: int *p is an address alone"),
        ("c", "int f(int *p, int k) { return *p; }", "parameter p: int *p is an address alone"),
        ("c", "int f(struct P p) { return 1; }", "pass its fields one by one"),
        ("c", "int f(struct P *ps, size_t n) { return 1; }", "the layout of struct P is known only to C"),
        ("c", "int f(int (*g)(int)) { return 1; }", "a function's address"),
        ("c", "int f(const char *text, ...) { return 1; }", "name each argument"),
        ("c", "int f(char **names, size_t n) { return 1; }", "an address of addresses"),
        ("c", "long double f(int x) { return x; }", "its result: long double is wider"),
        ("c", "int *f(int x) { return 0; }", "its result: int * is an address alone"),
        ("cpp", "int f(int x) { return x; }", 'write extern "C" before it: extern "C" int f(int x)'),
        ("cpp", "namespace a { int f(int x) { return x; } }", 'extern "C"'),
        ("cpp", 'extern "C" int f(const std::string& s) { return 1; }', "a reference is an address"),
        ("cpp", 'extern "C" int f(std::vector<int> v) { return 1; }', "vector<int> lives in C++ alone"),
        ("zig", "export fn f(xs: []const u8) void {}", "write xs: [*]const u8, xs_len: usize"),
        ("zig", "export fn f(x: u7) void {}", "none of Wasm's numbers"),
        ("zig", "export fn f(x: *i32) void {}", "one value's address"),
        ("zig", "export fn f(x: ?[*]u8, n: usize) void {}", "may be null"),
        ("zig", "export fn f() error{A}!i32 { return 1; }", "can fail in a way that only Zig knows"),
        ("go", "package main\n//export f\nfunc f(x int32) {}\nfunc main() {}", "write //go:wasmexport f"),
        ("go", "package main\n//go:wasmexport f\nfunc f(x int) {}", "write int32 or int64"),
        ("go", "package main\n//go:wasmexport f\nfunc f(xs []byte) {}", "xs *byte, n uint32"),
        ("go", "package main\n//go:wasmexport f\nfunc f() string { return `` }", "returns no string"),
    ],
)
def test_what_has_no_python_form_is_refused_with_what_to_write(language, code, reason):
    [signature] = read_code(language, code).functions
    assert reason in signature.obstacle


@pytest.mark.parametrize(
    "code",
    [
        "int f(",
        "}}}",
        "int main(void) {",
        "",
        "\x00",
        "#include <",
        "template <class T> struct A { int f() { return 1; } };",
    ],
)
@pytest.mark.parametrize("language", ["c", "cpp", "zig", "go"])
def test_code_that_does_not_parse_is_left_to_the_compiler(language, code):
    assert read_code(language, code).kind in (Kind.PROGRAM, Kind.FUNCTIONS)


def test_sources_of_cells():
    source = parse_language_cell(
        "\ufeffint f(int a) {\r\n return a; }", language="c", name="lib", first_line=2
    )
    assert (source.language, source.name, source.label, source.first_line) == ("c", "lib", "lib", 2)
    assert source.code == "int f(int a) {\n return a; }"
    with pytest.raises(HeaderError, match="cell has no code"):
        parse_language_cell(" \n", language="zig")
    with pytest.raises(HeaderError, match="cannot name a cell"):
        parse_language_cell("int a;", language="c", name="a-b")
    with pytest.raises(UnsupportedError, match="'fortran' is no language"):
        parse_language_cell("x", language="fortran")


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.c", "c"), ("a.cc", "cpp"), ("a.cpp", "cpp"), ("a.zig", "zig"), ("a.go", "go"), ("a.wasm", "")],
)
def test_languages_of_files(name, language):
    assert language_of_file(Path(name)) == language


@pytest.mark.parametrize(
    ("language", "code", "main"),
    [
        ("c", "int main(void) { return 0; }", Main(0, 0, True, 0)),
        ("c", "int main(/* nothing */) { return 0; }", Main(0, 0, True, 0)),
        ("cpp", "auto main(int argc, char **argv) -> int { return argc; }", Main(0, 0, True, 2)),
        ("c", "int f(int a, int b, int c) { return a; }", None),
        ("c", "\nvoid main(void) { }", Main(1, 0, False, 0)),
        ("c", "int main(int n, char **argv, char **variables) { return n; }", Main(0, 0, True, 3)),
        ("cpp", "int main(int n) { return n; }", Main(0, 0, True, 1)),
    ],
)
def test_the_form_of_a_main(language, code, main):
    assert find_main(code, language) == main
