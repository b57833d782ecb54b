"""The same task in C, C++, Zig, Go and Rust, compiled and run for real; functions, traps, links, runtimes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wasm_lab import errors
from wasm_lab.build.cache import default_cache
from wasm_lab.capabilities import Capabilities
from wasm_lab.files import artifact_of
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.session import Session
from wasm_lab.source import Kind, Profile

SAMPLES = Path(__file__).parents[2] / "wasm_samples" / "languages"
LANGUAGES = ["c", "cpp", "zig", "go", "rs"]
OPTIONS = {"profile": "release", "target": "wasm32-wasip1", "edition": None}

pytestmark = pytest.mark.slow


def cell(session: Session, language: str, code: str, *, name: str = "", profile: Profile = Profile.RELEASE):
    from wasm_lab.cells.languages import parse_language_cell

    source = parse_language_cell(
        code, language=language, name=name, label=name or "cell", first_line=2, profile=profile
    )
    return session.compile(source)


@pytest.mark.parametrize("ending", LANGUAGES)
def test_the_program_of_each_language_does_the_task(ending):
    session = Session()
    artifact = artifact_of(session, SAMPLES / f"program.{ending}", OPTIONS)
    done = session.run(artifact, Capabilities(stdin=b"  one two\x0bthree\n\nfour \xff\xfe", args=("1000",)))
    assert (done.stdout, done.exit_status) == (b"primes: 168\nwords: 5\n", 0)
    assert session.run(artifact).stdout == b"primes: 1229\nwords: 0\n"
    wrong = session.run(artifact, Capabilities(args=("ten",)))
    assert (wrong.exit_status, wrong.stdout, wrong.stderr) == (2, b"", b"ten is no number\n")


@pytest.mark.parametrize("ending", LANGUAGES)
def test_the_functions_of_each_language_do_the_task(ending):
    session = Session()
    functions = session.define(artifact_of(session, SAMPLES / f"functions.{ending}", OPTIONS)).functions
    assert [functions["count_primes"](n) for n in (0, 1, 2, 10000)] == [0, 0, 1, 1229]
    assert [functions["count_words"](text) for text in ("", "  one two\n\tthree ", "ä" * 5000)] == [0, 3, 1]
    with pytest.raises(OverflowError, match="must fit u32"):
        functions["count_primes"](-1)


@pytest.mark.parametrize("runtime", [name for name in NAMES if name not in ("wasmtime", "native")])
def test_programs_run_in_other_runtimes(runtime):
    engine = get_runtime(runtime)
    if engine.missing():
        pytest.skip(engine.missing())
    session = Session()
    for ending in ("c", "zig"):
        artifact = artifact_of(session, SAMPLES / f"program.{ending}", OPTIONS)
        done = session.run(artifact, Capabilities(stdin=b"a b", args=("100",)), runtime=runtime)
        assert done.stdout == b"primes: 25\nwords: 2\n"


def test_files_environment_and_the_audit_are_those_of_rust(tmp_path):
    from wasm_lab.capabilities import Directory

    (tmp_path / "note").write_text("from the host")
    session = Session()
    code = (
        "#include <stdio.h>\n#include <stdlib.h>\nint main(void) {\n"
        '  char text[100] = ""; FILE *file = fopen("/data/note", "r");\n'
        '  if (!file) { perror("note"); return 1; }\n'
        '  fgets(text, sizeof text, file); printf("%s %s\\n", text, getenv("WHO")); return 0; }\n'
    )
    artifact = cell(session, "c", code)
    granted = Capabilities(dirs=(Directory(tmp_path, "/data", writable=False),), env={"WHO": "me"})
    done = session.run(artifact, granted, audit=True)
    assert done.stdout == b"from the host me\n"
    assert "path_open" in [call.name for call in done.audit]
    assert session.run(artifact).exit_status == 1


#: Prints the text of each file whose name it is given, or nothing where there is none.
READS = {
    "c": "#include <stdio.h>\nint main(int n, char **names) {\n"
    '  for (int i = 1; i < n; i++) { char text[9] = ""; FILE *file = fopen(names[i], "r");\n'
    '    if (file) fgets(text, sizeof text, file); printf("[%s]", text); } }\n',
    "go": 'package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() {\n'
    '\tfor _, name := range os.Args[1:] {\n\t\ttext, _ := os.ReadFile(name)\n\t\tfmt.Printf("[%s]", text)\n\t}\n}\n',
}


@pytest.mark.parametrize("language", sorted(READS))
@pytest.mark.parametrize(("opened", "told"), [(".", b"[top][in][]"), ("sub", b"[][in][]")])
def test_a_folder_is_opened_by_its_relative_name(language, opened, told, tmp_path, monkeypatch):
    from wasm_lab.capabilities import parse_directory

    (tmp_path / "sub").mkdir()
    (tmp_path / "top.txt").write_text("top")
    (tmp_path / "sub" / "in.txt").write_text("in")
    monkeypatch.chdir(tmp_path)
    session = Session()
    granted = Capabilities(
        dirs=(parse_directory(opened, writable=True),),
        args=("top.txt", "sub/in.txt", "in.txt"),
    )
    assert session.run(cell(session, language, READS[language]), granted).stdout == told


def test_exported_functions_of_go_read_in_the_folder_too(tmp_path, monkeypatch):
    from wasm_lab.capabilities import parse_directory

    (tmp_path / "note").write_text("four")
    monkeypatch.chdir(tmp_path)
    session = Session()
    code = (
        'package main\n\nimport "os"\n\n//go:wasmexport size\nfunc size() int32 {\n'
        '\ttext, _ := os.ReadFile("note")\n\treturn int32(len(text))\n}\n'
    )
    granted = Capabilities(dirs=(parse_directory(".", writable=False),))
    assert session.define(cell(session, "go", code), granted).functions["size"]() == 4


TRAPS = {
    "c": "#include <stdlib.h>\nstatic int inner(int x) {\n  return 100 / x;\n}\nint boom(int x) { return inner(x); }\n",
    "cpp": 'static int inner(int x) {\n\n  return 100 / x;\n}\nextern "C" int boom(int x) { return inner(x); }\n',
    "zig": "fn inner(x: i32) i32 {\n\n    return @divTrunc(100, x);\n}\nexport fn boom(x: i32) i32 { return inner(x); }\n",
}


@pytest.mark.parametrize("language", sorted(TRAPS))
def test_a_trap_tells_the_lines_of_the_cell_and_closes_the_functions(language):
    session = Session()
    boom = session.define(cell(session, language, TRAPS[language])).functions["boom"]
    assert boom(7) == 14
    with pytest.raises(errors.GuestTrap, match="divide by zero") as trapped:
        boom(0)
    assert trapped.value.trap.frames[0].line == 4
    assert trapped.value.trap.frames[0].function.endswith("inner")
    with pytest.raises(errors.PoisonedError):
        boom(7)
    boom.reset()
    assert boom(7) == 14


def test_unoptimised_c_traps_where_it_overflows():
    session = Session()
    code = "int next(int x) {\n  return x + 1;\n}\n"
    next_number = session.define(cell(session, "c", code, profile=Profile.DEV)).functions["next"]
    assert next_number(1) == 2
    with pytest.raises(errors.GuestTrap) as trapped:
        next_number(2**31 - 1)
    assert trapped.value.trap.frames[0].line == 3


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("c", "void scale(double *xs, size_t n, double by) { for (size_t i = 0; i < n; i++) xs[i] *= by; }"),
        ("zig", "export fn scale(xs: [*]f64, n: usize, by: f64) void { for (xs[0..n]) |*x| x.* *= by; }"),
        (
            "go",
            'package main\n\nimport "unsafe"\n\n//go:wasmexport scale\nfunc scale(xs *float64, n uint32, by float64) {\n'
            "\tfor i := range unsafe.Slice(xs, n) {\n\t\tunsafe.Slice(xs, n)[i] *= by\n\t}\n}\n",
        ),
    ],
)
def test_arrays_are_changed_in_place(language, code):
    session = Session()
    code = "#include <stddef.h>\n" + code if language == "c" else code
    scale = session.define(cell(session, language, code)).functions["scale"]
    numbers = np.arange(100_000, dtype=np.float64)
    scale(numbers, 2.0)
    assert numbers[-1] == 199_998.0
    listed = [1.0, 2.0]
    scale(listed, 0.5)
    assert listed == [0.5, 1.0]


def test_go_may_keep_a_text_that_it_was_given():
    session = Session()
    code = (
        "package main\n\nvar kept []string\n\n//go:wasmexport keep\nfunc keep(text string) { kept = append(kept, text) }\n\n"
        "//go:wasmexport same\nfunc same(i int32, text string) bool { return kept[i] == text }\n"
    )
    functions = session.define(cell(session, "go", code)).functions
    texts = [str(n) * (n + 1) for n in range(200)]
    for text in texts:
        functions["keep"](text)
    assert all(functions["same"](i, text) for i, text in enumerate(texts))


LIBRARIES = {
    "c": "int gcd(int a, int b) { return b ? gcd(b, a % b) : a; }",
    "zig": "export fn gcd(a: i32, b: i32) i32 { return if (b == 0) a else gcd(b, @mod(a, b)); }",
    "go": "package main\n\n//go:wasmexport gcd\nfunc gcd(a, b int32) int32 {\n\tfor b != 0 {\n\t\ta, b = b, a%b\n\t}\n\treturn a\n}\n",
    "rust": "pub fn gcd(a: i32, b: i32) -> i32 { if b == 0 { a } else { gcd(b, a % b) } }",
}
PROGRAMS = {
    "c": '#include <stdio.h>\n__attribute__((import_module("lib"), import_name("gcd"))) int gcd(int, int);\n'
    'int main(void) { printf("%d\\n", gcd(12, 18)); }',
    "zig": 'const std = @import("std");\nextern "lib" fn gcd(a: i32, b: i32) i32;\n'
    "pub fn main() void { if (gcd(12, 18) != 6) std.process.exit(1); }",
    "go": 'package main\n\nimport "fmt"\n\n//go:wasmimport lib gcd\nfunc gcd(a, b int32) int32\n\nfunc main() { fmt.Println(gcd(12, 18)) }\n',
    "rust": '#[link(wasm_import_module = "lib")] unsafe extern "C" { fn gcd(a: i32, b: i32) -> i32; }\n'
    'fn main() { println!("{}", unsafe { gcd(12, 18) }); }',
}


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_programs_of_every_language_call_a_library_of_each(library):
    from wasm_lab.cells import parse_cell

    session = Session()

    def built(language: str, code: str, name: str = ""):
        if language == "rust":
            return session.compile(parse_cell(code, name=name, label=name or "cell"))
        return cell(session, language, code, name=name)

    session.define(built(library, LIBRARIES[library], "lib"))
    for language, code in PROGRAMS.items():
        done = session.run(built(language, code))
        assert done.exit_status == 0, done
        assert language == "zig" or done.stdout == b"6\n"


def test_a_function_of_javascript_is_told_as_zig_would_import_it():
    session = Session()
    artifact = cell(session, "zig", 'extern "env" fn log(x: i32) void;\nexport fn f() void { log(1); }\n')
    with pytest.raises(errors.LoadError, match="No JavaScript is around this guest") as refused:
        session.define(artifact)
    assert 'extern "NAME" fn log(' in refused.value.hint


def test_a_changed_header_is_seen(tmp_path):
    (tmp_path / "size.h").write_text("#define SIZE 1\n")
    main = tmp_path / "main.c"
    main.write_text('#include "size.h"\nint main(void) { return SIZE; }\n')
    session = Session()
    first = artifact_of(session, main, OPTIONS)
    assert session.run(first).exit_status == 1
    assert artifact_of(session, main, OPTIONS).cached
    (tmp_path / "size.h").write_text("#define SIZE 2\n")
    assert session.run(artifact_of(session, main, OPTIONS)).exit_status == 2


def test_sources_are_walled_in(tmp_path):
    secret = tmp_path / "secret.h"
    secret.write_text("#error SECRET WORDS\n")
    session = Session()
    for path in (secret, "/etc/passwd"):
        with pytest.raises(errors.CompileError) as refused:
            cell(session, "c", f'#include "{path}"\nint main(void) {{ return 0; }}\n')
        assert "SECRET WORDS" not in str(refused.value)
        assert "root:" not in str(refused.value)


def test_an_unchanged_cell_comes_from_the_cache_and_says_so():
    session = Session()
    code = "int cached(int x) { return x; }\n"
    cell(session, "c", code)
    again = cell(session, "c", code)
    assert again.cached
    assert [step.name for step in again.steps] == ["cache"]
    assert again.compiler.startswith("zig ")


@pytest.mark.parametrize("form", ["int main(void)", "int main(int count, char **words)"])
def test_a_main_that_a_macro_writes_makes_a_program(form):
    session = Session()
    code = f'#include <stdio.h>\n#define BEGIN {form} {{\nint helper(int x) {{ return x; }}\nBEGIN puts("ran"); }}\n'
    first = cell(session, "c", code, name="macro")
    again = cell(session, "c", code, name="macro")
    assert again.cached
    for artifact in (first, again):
        assert artifact.source is not None
        assert artifact.source.kind is Kind.PROGRAM
        assert session.run(artifact).stdout == b"ran\n"
    assert session.program("macro") == again


@pytest.mark.parametrize("header", ["emscripten.h", "emscripten/emscripten.h"])
def test_the_mark_of_emscriptens_samples_is_known(header):
    session = Session()
    code = f"#include <{header}>\nEMSCRIPTEN_KEEPALIVE int add(int a, int b) {{ return a + b; }}\n"
    assert session.define(cell(session, "c", code)).functions["add"](1, 2) == 3
    for rest in ('EM_JS(void, hi, (), { console.log("x"); });', "void f(void) { emscripten_sleep(1); }"):
        with pytest.raises(errors.CompileError) as refused:
            cell(session, "c", f"#include <{header}>\n{rest}\n")
        assert "only EMSCRIPTEN_KEEPALIVE" in refused.value.hint


def test_a_header_of_that_name_beside_the_file_comes_first(tmp_path):
    (tmp_path / "emscripten.h").write_text("#define EMSCRIPTEN_KEEPALIVE\n#define OWN 7\n")
    (tmp_path / "main.c").write_text("#include <emscripten.h>\nint main(void) { return OWN; }\n")
    session = Session()
    assert session.run(artifact_of(session, tmp_path / "main.c", OPTIONS)).exit_status == 7


@pytest.mark.parametrize(
    ("language", "code", "told"),
    [
        ("c", '#include <stdio.h>\nvoid main() { puts("ran"); }\n', b"ran\n"),
        (
            "c",
            "#include <stdio.h>\nint main(int n, char **w, char **e) { puts(w[1]); puts(e[0]); }\n",
            b"x\nA=1\n",
        ),
        (
            "c",
            '#include <stdio.h>\n#if 0\nvoid main() { }\n#else\nint main(void) { puts("else"); }\n#endif\n',
            b"else\n",
        ),
        ("cpp", "#include <cstdio>\nint main(int n, char **w, char *e[]) { std::puts(e[0]); }\n", b"A=1\n"),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_other_forms_of_main_are_started(language, code, told, profile):
    session = Session()
    done = session.run(
        cell(session, language, code, profile=profile), Capabilities(args=("x",), env={"A": "1"})
    )
    assert (done.stdout, done.exit_status) == (told, 0)


def test_profiles_change_the_size():
    session = Session()
    code = (SAMPLES / "program.c").read_text()
    sizes = [
        cell(session, "c", code, profile=profile).size_bytes
        for profile in (Profile.SIZE, Profile.RELEASE, Profile.DEV)
    ]
    assert all(small < large for small, large in itertools.pairwise(sizes))


def test_the_library_is_made_again_when_it_is_gone():
    from wasm_lab.build.languages.c_library import CACHE_KIND

    folders = [each for each in default_cache().entries() if each.kind == CACHE_KIND]
    assert folders
    for each in folders:
        (each.path / "lines.json").unlink(missing_ok=True)
    session = Session()
    artifact = cell(session, "c", "int again(void) { return 3; }\n")
    assert session.define(replace(artifact, label="again")).functions["again"]() == 3


def test_the_python_api_takes_every_language():
    import wasm_lab

    artifact = wasm_lab.compile("export fn twice(n: i32) i32 { return 2 * n; }", language="zig")
    assert wasm_lab.load(artifact).functions["twice"](21) == 42
    with pytest.raises(errors.UsageError, match="has no pub fn main, so it is no program") as refused:
        wasm_lab.execute(artifact)
    assert "wasm-lab test" not in refused.value.hint
