"""What clang, zig and go said once (``recorded/``), told in the lines of the cell, with what to do next."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from wasm_lab.build.languages import clang_messages
from wasm_lab.cells.languages import parse_language_cell

RECORDED = Path(__file__).parent / "recorded"
READERS = {"c": "clang_messages", "cpp": "clang_messages", "zig": "zig_messages", "go": "go_messages"}

#: The cells whose compile was recorded; their first line is the magic's.
CODE = {
    "c-missing-include": (
        "c",
        'int main(void) {\n    printf("hi %d\\n", 1);\n    char *p = malloc(10);\n    return strlen(p);\n}\n',
    ),
    "c-type": (
        "c",
        '#include <stdio.h>\nint main(void) {\n    int n = "text";\n    int unused;\n    prinft("x");\n    return 0\n}\n',
    ),
    "c-undefined": ("c", "int helper(int);\nint twice(int n) {\n    return helper(n);\n}\n"),
    "c-socket": (
        "c",
        "#include <sys/socket.h>\n#include <netinet/in.h>\nint main(void) { int s = socket(AF_INET, SOCK_STREAM, 0); return s; }\n",
    ),
    "c-signal": ("c", "#include <signal.h>\nint main(void) { return 0; }\n"),
    "c-setjmp": ("c", "#include <setjmp.h>\nint main(void) { jmp_buf b; return setjmp(b); }\n"),
    "c-fork": ("c", "#include <unistd.h>\nint main(void) { return fork(); }\n"),
    "c-system": ("c", '#include <stdlib.h>\nint main(void) { return system("ls"); }\n'),
    "c-noheader": ("c", "#include <curl/curl.h>\nint main(void) { return 0; }\n"),
    "c-sigmismatch": ("c", "double gcd(double);\nint main(void) { return (int)gcd(1); }\n"),
    "cpp-throw": (
        "cpp",
        '#include <stdexcept>\nint main() {\n    try { throw std::runtime_error("x"); } catch (...) { return 1; }\n}\n',
    ),
    "cpp-include": ("cpp", "int main() {\n    std::vector<int> v;\n    std::cout << v.size();\n}\n"),
    "cpp-bare": ("cpp", 'int main() { cout << "hi" << endl; }\n'),
    "cpp-bits": ("cpp", "#include <bits/stdc++.h>\nint main() { return 0; }\n"),
    "cpp-thread": ("cpp", "#include <thread>\nint main() { std::thread t([]{}); t.join(); }\n"),
    "cpp-filesystem": ("cpp", '#include <filesystem>\nint main() { return std::filesystem::exists("x"); }\n'),
    "zig-unused": (
        "zig",
        'const std = @import("std");\npub fn main() void {\n    const x = 1;\n    var y: u32 = 2;\n}\n',
    ),
    "zig-stdout": (
        "zig",
        'const std = @import("std");\npub fn main() !void {\n    const out = std.io.getStdOut().writer();\n    try out.print("hi\\n", .{});\n}\n',
    ),
    "zig-syntax": ("zig", "pub fn main() void {\n    const x = 1\n}\n"),
    "zig-type": ("zig", "export fn add(a: i32, b: i64) i32 {\n    return a + b;\n}\n"),
    "zig-slice": ("zig", "export fn f(xs: []const u8) usize {\n    return xs.len;\n}\n"),
    "zig-thread": (
        "zig",
        'const std = @import("std");\nfn run() void {}\npub fn main() !void {\n    const t = try std.Thread.spawn(.{}, run, .{});\n    t.join();\n}\n',
    ),
    "zig-import": ("zig", 'const other = @import("other.zig");\npub fn main() void { other.f(); }\n'),
    "zig-oldlist": (
        "zig",
        'const std = @import("std");\npub fn main() !void {\n    var list = std.ArrayList(u8).init(std.heap.page_allocator);\n    try list.append(1);\n}\n',
    ),
    "zig-overflow": ("zig", "pub fn main() void {\n    const x: u8 = 256;\n    _ = x;\n}\n"),
    "go-unused": (
        "go",
        'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n\tx := 1\n\tfmt.Println("hi")\n}\n',
    ),
    "go-nopackage": ("go", 'import "fmt"\n\nfunc main() { fmt.Println("hi") }\n'),
    "go-nomain": ("go", "package main\n\nfunc helper() int { return 1 }\n"),
    "go-type": (
        "go",
        'package main\n\nfunc main() {\n\tvar n int = "text"\n\t_ = n\n\tundefinedThing()\n}\n',
    ),
    "go-syntax": ("go", "package main\n\nfunc main() {\n\tif true\n\t{\n\t}\n}\n"),
    "go-dependency": (
        "go",
        'package main\n\nimport "github.com/fatih/color"\n\nfunc main() { color.Red("x") }\n',
    ),
    "go-missing-import": ("go", 'package main\n\nfunc main() { fmt.Println("hi") }\n'),
    "go-export-int": (
        "go",
        "package main\n\n//go:wasmexport add\nfunc add(a int, b int) int { return a + b }\n\nfunc main() {}\n",
    ),
    "go-cgo": ("go", 'package main\n\n// int x(void) { return 1; }\nimport "C"\n\nfunc main() { C.x() }\n'),
    "go-wasmimport-type": (
        "go",
        "package main\n\n//go:wasmimport lib f\nfunc f(a []int32) int\n\nfunc main() { f(nil) }\n",
    ),
    "c-gets": (
        "c",
        "#include <stdio.h>\nint main(void) {\n    char line[80];\n    gets(line);\n    return 0;\n}\n",
    ),
    "c-popen": ("c", '#include <stdio.h>\nint main(void) { return popen("ls", "r") == NULL; }\n'),
    "c-old-style": (
        "c",
        "int add(a, b) int a; int b; { return a + b; }\nint main(void) { return add(1, 2); }\n",
    ),
    "c-clocks": ("c", "#include <sys/times.h>\nint main(void) { struct tms t; return times(&t); }\n"),
    "c-simd": (
        "c",
        "#include <wasm_simd128.h>\nint main(void) { return wasm_i32x4_extract_lane(wasm_i32x4_splat(3), 1); }\n",
    ),
    "c-odd-main": ("c", "int main(int count) { return count; }\n"),
    "cpp-fstream": (
        "cpp",
        '#include <fstream>\nint main() { std::ifstream file("x"); return file ? 0 : 1; }\n',
    ),
    "cpp-mutex": (
        "cpp",
        "#include <mutex>\nstd::mutex lock;\nint main() { std::lock_guard<std::mutex> held(lock); }\n",
    ),
    "cpp-parallel": (
        "cpp",
        "#include <algorithm>\n#include <execution>\n#include <vector>\nint main() {\n    std::vector<int> v{2, 1};\n    std::sort(std::execution::par, v.begin(), v.end());\n}\n",
    ),
    "zig-oldfile": (
        "zig",
        'const std = @import("std");\npub fn main() !void {\n    try std.fs.File.stdout().writeAll("hi");\n}\n',
    ),
    "zig-oldheap": (
        "zig",
        'const std = @import("std");\npub fn main() void {\n    var heap = std.heap.GeneralPurposeAllocator(.{}){};\n    _ = heap.allocator();\n}\n',
    ),
    "zig-cimport": (
        "zig",
        'const c = @cImport(@cInclude("stdio.h"));\npub fn main() void {\n    _ = c.puts("hi");\n}\n',
    ),
    "zig-sleep": ("zig", 'const std = @import("std");\npub fn main() void {\n    std.time.sleep(1000);\n}\n'),
    "go-js": ("go", 'package main\n\nimport "syscall/js"\n\nfunc main() { js.Global() }\n'),
    "cpp-import": ("cpp", 'import std;\nint main() { std::cout << "x"; }\n'),
    "cpp-import-header": ("cpp", "import <vector>;\nint main() { std::vector<int> v; }\n"),
    "zig-environ": (
        "zig",
        'const std = @import("std");\npub fn main() !void {\n    const who = try std.process.getEnvVarOwned(std.heap.page_allocator, "WHO");\n    std.debug.print("{s}", .{who});\n}\n',
    ),
    "go-library": ("go", "package mathx\n\nfunc Add(a, b int) int { return a + b }\n"),
    "go-machine": ("go", 'package main\n\nimport "machine"\n\nfunc main() { machine.LED.High() }\n'),
}


#: Name: line and column of the first error, words of its message, words of the hint.
EXPECTED = {
    "c-fork": ((3, 25), "undeclared identifier 'fork'", "no processes"),
    "c-missing-include": ((3, 5), "undeclared library function 'printf'", "#include <stdio.h>"),
    "c-noheader": ((2, 10), "'curl/curl.h' file not found", "Only the C and C++ libraries"),
    "c-setjmp": ((2, 1), "Setjmp/longjmp support", "return a status"),
    "c-sigmismatch": ((3, 30), "gcd is used, and nothing defines it", "import_module"),
    "c-signal": ((2, 1), "signal support", "no signals"),
    "c-socket": ((4, 26), "'socket'", "cannot open connections"),
    "c-system": ((3, 25), "system is used, and nothing defines it", "no processes"),
    "c-type": ((4, 9), "incompatible pointer to integer", ""),
    "c-undefined": ((4, 12), "helper is used, and nothing defines it", "Define helper in this cell"),
    "cpp-filesystem": ((3, 21), "no member named 'exists'", "std::filesystem is left out"),
    "cpp-include": ((3, 5), "undeclared identifier 'std'", "#include <vector> #include <iostream>"),
    "cpp-bare": (
        (2, 14),
        "undeclared identifier 'cout'",
        "Begin with #include <iostream> and write std::cout, std::endl",
    ),
    "cpp-bits": ((2, 10), "file not found", "GCC's own"),
    "cpp-thread": ((3, 14), "undeclared identifier 'std'", "one thread"),
    "cpp-throw": ((4, 11), "with exceptions disabled", "exceptions are off"),
    "go-cgo": (None, 'import "C"', "no cgo"),
    "go-dependency": ((4, 8), "cannot find module", "modules are not fetched"),
    "go-export-int": ((5, 6), "unsupported parameter type int", "int32"),
    "go-missing-import": ((4, 15), "undefined: fmt", 'import "fmt"'),
    "go-nomain": (None, "has no func main", "func main()"),
    "go-nopackage": ((2, 1), "expected 'package'", "package main"),
    "go-syntax": ((5, 9), "unexpected newline", "on the line of if"),
    "go-type": ((5, 14), 'cannot use "text"', ""),
    "go-unused": ((6, 2), '"os" imported and not used', "remove it"),
    "go-wasmimport-type": ((5, 6), "unsupported parameter type []int32", "wasmimport"),
    "zig-import": (None, 'unable to load "other.zig"', "A cell is one file"),
    "zig-oldlist": ((4, 16), "no member named 'init'", "holds no allocator"),
    "zig-overflow": ((3, 19), "cannot represent integer value '256'", ""),
    "zig-slice": ((2, 13), "not allowed in function", "[*]const T"),
    "zig-stdout": ((4, 21), "no member named 'io'", "std.process.Init"),
    "zig-syntax": ((3, 16), "expected ';'", ""),
    "zig-thread": ((5, 35), "single-threaded", "one thread"),
    "zig-type": ((3, 12), "expected type 'i32', found 'i64'", ""),
    "zig-unused": ((4, 11), "unused local constant", "_ = name"),
    "c-clocks": ((2, 1), "process-associated clocks", "clock_gettime"),
    "c-gets": ((5, 5), "undeclared identifier 'gets'", "fgets"),
    "c-old-style": ((2, 9), "unknown type name 'a'", "int add(int a, int b)"),
    "c-popen": ((3, 25), "undeclared identifier 'popen'", "no processes"),
    "c-simd": ((3, 49), "'simd128'", "target("),
    "c-odd-main": ((2, 1), "main is started as", "int main(void)"),
    "cpp-fstream": ((3, 28), "std::basic_ifstream", "fopen"),
    "cpp-mutex": ((3, 6), "no type named 'mutex'", "nothing needs a lock"),
    "cpp-parallel": ((7, 31), "no member named 'par'", "execution policy"),
    "go-js": ((4, 8), "package syscall/js is not for WASI", "go:wasmexport"),
    "go-machine": ((4, 8), "package machine is not in std", "TinyGo's"),
    "cpp-import": ((2, 8), "module 'std' not found", "#include what you use. Here: #include <iostream>"),
    "cpp-import-header": ((2, 8), "header file <vector> cannot be imported", "Here: #include <vector>"),
    "zig-environ": ((4, 21), "no member named 'getEnvVarOwned'", 'init.environ_map.get("NAME")'),
    "go-library": ((2, 1), "this is package mathx", "Write package main"),
    "zig-cimport": ((2, 11), "invalid builtin function", "%%wasm c --name"),
    "zig-oldfile": ((4, 16), "has no member named 'File'", "std.Io.File"),
    "zig-oldheap": ((4, 16), "'GeneralPurposeAllocator'", "DebugAllocator"),
    "zig-sleep": ((4, 5), "no member named 'sleep'", "init.io.sleep"),
}


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def read(name: str):
    language, code = CODE[name]
    source = parse_language_cell(code, language=language, first_line=2)
    module = importlib.import_module(f"wasm_lab.build.languages.{READERS[language]}")
    said = (RECORDED / f"{name}.txt").read_text(encoding="utf-8")
    diagnostics = module.read(said, source)
    return diagnostics, module.hint(diagnostics, source)


def test_every_recording_is_judged():
    assert {each.stem for each in RECORDED.glob("*.txt")} == set(EXPECTED) == set(CODE)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_messages_stand_at_lines_of_the_cell_with_advice(name):
    place, message, advice = EXPECTED[name]
    diagnostics, hint = read(name)
    first = next(each for each in diagnostics if each.level == "error")
    assert message in first.message
    if place is None:
        assert not first.spans or first.spans[0].label != "cell"
    else:
        [span] = first.spans
        assert (span.label, span.line, span.column) == ("cell", *place)
        assert span.end_column > span.column
    assert advice in hint if advice else not hint


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_path_of_a_machine_is_shown(name):
    diagnostics, hint = read(name)
    for text in [hint, *(each.rendered for each in diagnostics), *(each.message for each in diagnostics)]:
        assert "/zig/" not in text
        assert "/tmp/" not in text


def test_the_layout_is_rustcs_with_the_learners_line_under_the_message():
    diagnostics, _ = read("c-type")
    assert plain(diagnostics[1].rendered).split("\n") == [
        "error: use of undeclared identifier 'prinft'; did you mean 'printf'?",
        " --> cell:6:5",
        "  |",
        '6 |     prinft("x");',
        "  |     ^^^^^^",
        "  = help: write printf",
        "  = note: 'printf' declared here (<stdio.h>)",
    ]


def test_warnings_are_told_with_their_names():
    from wasm_lab.build.languages.clang_messages import read as read_clang

    source = parse_language_cell("int f(void) { int q; return 0; }\n", language="c", first_line=2)
    said = "cell:2:19: warning: unused variable 'q' [-Wunused-variable]\n    2 | int f(void) { int q; return 0; }\n      |                   ^\n1 warning generated.\n"
    [warning] = read_clang(said, source)
    assert (warning.level, warning.code, warning.spans[0].line) == ("warning", "-Wunused-variable", 2)


def test_tabs_before_a_mark_are_as_wide_as_in_the_line():
    diagnostics, _ = read("go-unused")
    shown = plain(diagnostics[0].rendered).split("\n")
    assert shown[3].index('"os"') == shown[4].index("^")


def test_a_name_that_is_left_out_is_no_slip_of_the_pen():
    diagnostics, _ = read("c-popen")
    assert "fopen" not in plain(diagnostics[0].rendered)


@pytest.mark.parametrize(
    ("language", "code", "place"),
    [
        ("c", "// pthread_create()\nint f(void) {\n  return pthread_create(0, 0, 0, 0);\n}\n", (4, 10)),
        (
            "go",
            'package main\n\nfunc main() {\n\t_ = "http.Get("\n\thttp.ListenAndServe(":80", nil)\n}\n',
            (6, 2),
        ),
        ("go", "package main\n\nfunc main() {\n\tmine.http.Get(1)\n\tsignal.Notify(c)\n}\n", (6, 2)),
    ],
)
def test_calls_that_compile_in_vain_are_warned_of(language, code, place):
    source = parse_language_cell(code, language=language, first_line=2)
    module = importlib.import_module(f"wasm_lab.build.languages.{READERS[language]}")
    [warning] = module.read("", source)
    assert warning.level == "warning"
    assert (warning.spans[0].line, warning.spans[0].column) == place
    assert "cannot work here" in warning.message


def test_a_clock_that_works_here_is_not_warned_of():
    source = parse_language_cell("int main(void) { return (int)clock(); }\n", language="c", first_line=2)
    said = (
        "cell:2:31: warning: 'clock' is deprecated: WASI lacks process-associated clocks; to enable emulation of the "
        "`clock` function, compile with -D_WASI_EMULATED_PROCESS_CLOCKS [-Wdeprecated-declarations]\n"
        "    2 | int main(void) { return (int)clock(); }\n      |                              ^\n"
        "/zig/lib/libc/include/wasm-wasi-musl/time.h:72:4: note: 'clock' has been explicitly marked deprecated here\n"
        "cell:2:5: warning: 'other' is deprecated: old [-Wdeprecated-declarations]\n"
    )
    assert [each.message for each in clang_messages.read(said, source)] == ["'other' is deprecated: old"]
