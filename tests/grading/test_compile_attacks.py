"""Answers that attack while they are compiled. Each must fail or be harmless, and none may read or hang anything."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace

import pytest

from wasm_lab.build.walls import Walls, behind_walls, made_file, walled
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.errors import (
    BuildError,
    CompileError,
    GuestExit,
    HeaderError,
    LoadError,
    UsageError,
    WasmLabError,
)
from wasm_lab.grading.bodies import BODY_BYTES, refuse_body
from wasm_lab.grading.judge import JudgeSession

pytestmark = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

#: A wrong answer: it passes only where an attack works.
WRONG = "pub fn add(a: i32, b: i32) -> i32 { a.wrapping_sub(b) }\n"
TEXT = "pub fn hi(name: &str) -> String { name.to_string() }\n"

#: Seconds that a compile may take here, and what stopping it may take beyond that on a busy machine.
DEADLINE_S, BEYOND_S = 2.0, 60.0


@pytest.fixture(scope="module")
def session():
    session = JudgeSession(digest="0" * 64, functions={"answer": {"add": [], "hi": []}}, deadline_s=2.0)
    yield session
    session.close()


@pytest.fixture(scope="module")
def hasty():
    session = JudgeSession(digest="0" * 64, functions={"answer": {"add": [], "hi": []}}, deadline_s=2.0)
    assert session._walls is not None
    session._walls = replace(session._walls, deadline_s=DEADLINE_S)
    yield session
    session.close()


def define(session, code, **options):
    return session.define(session.compile(parse_cell(code, name="answer", first_line=2, **options))).functions


# Reading ----------------------------------------------------------------------------------

READS = {
    "include_str": 'pub fn hi() -> &\'static str { include_str!("PATH") }',
    "include_bytes": 'pub fn hi() -> usize { include_bytes!("PATH").len() }',
    "include": 'include!("PATH");',
    "path attribute": '#[path = "PATH"] mod stolen;',
    "path in a macro": 'macro_rules! m { ($p:literal) => { include_str!($p) } } pub fn hi() -> &\'static str { m!("PATH") }',
    "path put together": 'pub fn hi() -> &\'static str { include_str!(concat!("PA", "TH")) }',
    "doc attribute": '#![doc = include_str!("PATH")]\n' + WRONG,
    "through proc": 'pub fn hi() -> &\'static str { include_str!("/proc/self/cwd/../../../../../../..PATH") }',
    "module beside": "mod hidden;",
    "module of a name": '#[path = "hidden"] mod inner { pub mod tests; }',
    "static library": '#[link(name = "hidden", kind = "static")] unsafe extern "C" { fn f(); }\n'
    '#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }',
    "library by path": '#[link(name = "..PATH")] unsafe extern "C" { fn f(); }\n'
    '#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }',
}


@pytest.mark.parametrize("way", READS)
def test_no_file_of_this_machine_is_read(session, tmp_path, monkeypatch, way):
    hidden = tmp_path / "hidden.rs"
    hidden.write_text("pub const THE_HIDDEN_TESTS: u8 = 1;")
    monkeypatch.chdir(tmp_path)  # where a cell's own files are looked for
    code = READS[way].replace("PATH", str(hidden)).replace('"PA", "TH"', f'"{tmp_path}", "/hidden.rs"')
    with pytest.raises(CompileError) as refused:
        session.compile(parse_cell(code, name="answer"))
    assert "THE_HIDDEN_TESTS" not in str(refused.value)


@pytest.mark.parametrize(
    "path", ["/proc/self/environ", "/proc/1/cmdline", "/proc/self/maps", "/proc/version"]
)
def test_the_kernel_tells_nothing_at_compile_time(session, path):
    code = f'pub fn hi() -> Vec<u8> {{ include_bytes!("{path}").to_vec() }}'
    with pytest.raises(CompileError, match="Permission denied"):
        session.compile(parse_cell(code, name="answer"))


def test_variables_and_places_tell_nothing_of_this_machine(session, monkeypatch):
    monkeypatch.setenv("WASM_LAB_HIDDEN", "tests")
    monkeypatch.setenv("RUSTC_BOOTSTRAP", "1")
    names = "WASM_LAB_HIDDEN HOME USER PWD OUT_DIR CARGO CARGO_HOME RUSTUP_HOME LD_LIBRARY_PATH VIRTUAL_ENV".split()
    asked = ", ".join(f'option_env!("{name}")' for name in names)
    code = f"""
    pub fn hi() -> String {{
        let place = std::panic::Location::caller();
        format!("{{:?}}", ([{asked}], env!("PATH"), env!("CARGO_MANIFEST_DIR"), file!(), place.file()))
    }}"""
    known = ", ".join(["None"] * len(names))
    said = define(session, code)["hi"]()
    assert said == f'([{known}], "/usr/bin:/bin", "/exercise", "answer", "answer")'
    artifact = session.compile(
        parse_cell("pub fn add(x: Option<i32>, y: i32) -> i32 { x.unwrap() / y }", name="answer")
    )
    for secret in (os.environ.get("HOME", "/root"), "wasm-lab-build-", str(os.getcwd())):  # noqa: PTH109
        assert secret.encode() not in artifact.wasm


def test_the_stable_compiler_stays_stable(session, monkeypatch):
    monkeypatch.setenv("RUSTC_BOOTSTRAP", "1")
    from wasm_lab.toolchains.rust import find_rust

    if "nightly" in find_rust().version:
        pytest.skip("this toolchain allows features")
    with pytest.raises(CompileError, match="feature"):
        session.compile(parse_cell("#![feature(rustc_attrs)]\n" + WRONG, name="answer"))


def test_what_was_read_without_walls_is_not_in_the_cache_for_a_judge(session, tmp_path):
    (tmp_path / "hidden.txt").write_text("tests")
    from wasm_lab.build import build

    source = parse_cell(
        f'pub fn hi() -> &\'static str {{ include_str!("{tmp_path}/hidden.txt") }}', name="answer"
    )
    assert b"tests" in build(source).wasm  # as a learner's own notebook may
    with pytest.raises(CompileError, match="Permission denied"):
        session.compile(source)


# Names and links --------------------------------------------------------------------------

REFUSED = {
    "the glue's export": WRONG + '#[unsafe(export_name = "wasm_lab_add")] pub extern "C" fn f(a: i32, b: i32) -> i32 { a + b }',
    "the glue's frame": TEXT + '#[unsafe(export_name = "__wasm_lab_frame")] pub extern "C" fn f(n: usize) -> usize { 16 }',
    "the glue's module": WRONG + "mod __wasm_lab_glue { }",
    "the glue twice": WRONG + '#[path = "__wasm_lab_glue.rs"] mod again;',
    "start of a reactor": WRONG + '#[unsafe(no_mangle)] pub extern "C" fn _initialize() {}',
    "malloc": TEXT + '#[unsafe(no_mangle)] pub extern "C" fn malloc(n: usize) -> usize { 1 << 30 }',
    "a procedural macro": '#![crate_type = "proc-macro"]\nextern crate proc_macro;\n#[proc_macro] pub fn m(t: proc_macro::TokenStream) -> proc_macro::TokenStream { t }\n'
    + WRONG,
    "crates of the compiler": "extern crate rustc_driver;\n" + WRONG,
    "a crate that is not given": "use serde::Serialize;\n" + WRONG,
    "another crate's name": '#![crate_name = "core"]\n' + WRONG,
    "std by another name": "extern crate core as std;\n" + TEXT,
    "global assembly": 'use core::arch::global_asm;\nglobal_asm!(".globl evil");\n' + WRONG,
    "assembly": 'pub fn add(a: i32, b: i32) -> i32 { unsafe { core::arch::asm!("") }; a + b }',
    "a library": WRONG + '#[link(name = "c_evil")] unsafe extern "C" { fn f(); }\n#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }',
    "words for the linker": '#![link_args = "--export-all"]\n' + WRONG,
    "an open string before the glue": WRONG + 'const X: &str = r#"',
    "an open comment before the glue": WRONG + "/*",
    "an open module before the glue": WRONG + "mod m {",
    "text that is turned around": WRONG + "// \u202e fn \u2066",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_stands_in_the_glues_way_does_not_compile(session, name):
    with pytest.raises(CompileError):
        session.compile(parse_cell(REFUSED[name], name="answer", first_line=2))


HARMLESS = {
    "macros of std": "macro_rules! assert_eq { ($($t:tt)*) => {} }\nmacro_rules! println { ($($t:tt)*) => { std::process::exit(0) } }\n",
    "a start of its own": '#[unsafe(no_mangle)] pub extern "C" fn _start() { print!("test result: ok. 1 passed"); std::process::exit(0) }\n',
    "memcpy": '#[unsafe(no_mangle)] pub unsafe extern "C" fn memcpy(d: *mut u8, s: *const u8, n: usize) -> *mut u8 { d }\n',
    "the allocator's symbols": '#[unsafe(no_mangle)] pub extern "C" fn __rust_alloc(n: usize, a: usize) -> usize { 0 }\n',
    "an export of its own": '#[unsafe(no_mangle)] pub extern "C" fn passed() -> i32 { 1 }\n',
    "a section": '#[unsafe(link_section = ".custom_section.passed")] #[used] static X: [u8; 4] = *b"true";\n',
    "Python's names": "pub fn Cases(points: f64) -> f64 { points }\npub fn sorted() -> u8 { 0 }\npub fn print() {}\n",
    "a module called std": "mod std { pub fn exit() {} }\n",
    "its own exit": '#[link(wasm_import_module = "wasi_snapshot_preview1")] unsafe extern "C" { fn proc_exit(c: i32) -> !; }\n'
    '#[unsafe(no_mangle)] pub extern "C" fn z() { unsafe { proc_exit(0) } }\n',
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_it_calls_its_own_changes_no_answer(session, name):
    functions = define(session, HARMLESS[name] + WRONG)
    assert set(functions) == {"add"}
    assert functions["add"](2, 3) == -1


def test_a_function_by_a_macro_has_no_form_in_python(session):
    code = "macro_rules! f { ($n:ident) => { pub fn $n(a: i32, b: i32) -> i32 { a + b } } }\nf!(add);\n"
    assert define(session, code) == {}


def test_a_constructor_cannot_end_the_judge(session):
    code = (
        '#[unsafe(link_section = ".init_array")] #[used] static X: extern "C" fn() = i;\n'
        'extern "C" fn i() { println!("test result: ok. 1 passed"); std::process::exit(0) }\n'
    )
    with pytest.raises(GuestExit):
        define(session, code + WRONG)


@pytest.mark.parametrize("module", ["env", "judge", "wasi_snapshot_preview1"])
def test_what_no_host_has_is_not_imported(session, module):
    code = (
        f'#[link(wasm_import_module = "{module}")] unsafe extern "C" {{ fn pass(); }}\n'
        '#[unsafe(no_mangle)] pub extern "C" fn z() { unsafe { pass() } }\n'
    )
    with pytest.raises(LoadError):
        define(session, code + WRONG)


def test_another_cells_functions_are_not_linked_in(session):
    session.define(session.compile(parse_cell("pub fn secret() -> i32 { 42 }", name="helper")))
    code = (
        '#[link(wasm_import_module = "helper")] unsafe extern "C" { fn wasm_lab_secret() -> i32; }\n'
        "pub fn add(a: i32, b: i32) -> i32 { unsafe { wasm_lab_secret() } }\n"
    )
    with pytest.raises(WasmLabError, match="other modules|no host"):
        define(session, code)


def test_a_function_that_is_not_compiled_has_no_name(session):
    with pytest.raises(LoadError, match="no function"):
        define(session, "#![cfg(any())]\n" + WRONG)


# Bombs ------------------------------------------------------------------------------------

#: Those that the limits of memory, or the compiler's own, end.
LARGE = {
    "an array of ones": "pub static X: [u8; 1 << 30] = [1; 1 << 30];\n" + WRONG,
    "an array of zeros": "pub static mut X: [u8; 1 << 31] = [0; 1 << 31];\n" + WRONG,
    "an array by a constant function": "const fn f() -> [u8; 1 << 31] { [1; 1 << 31] }\nstatic X: [u8; 1 << 31] = f();\npub fn add(a: u32, b: u32) -> u8 { X[(a + b) as usize] }",
    "brackets": "pub fn add(a: i32, b: i32) -> i32 { " + "(" * 50_000 + "a" + ")" * 50_000 + " }",
    "blocks": "pub fn add(a: i32, b: i32) -> i32 { " + "{" * 20_000 + "a" + "}" * 20_000 + " }",
    "deep types": "struct W<T>(T); trait N { fn n() -> i32; } impl N for () { fn n() -> i32 { 0 } }\n"
    "impl<T: N> N for W<T> { fn n() -> i32 { T::n() + 1 } }\n"
    "fn f<T: N>(d: i32) -> i32 { if d == 0 { T::n() } else { f::<W<T>>(d - 1) } }\n"
    "pub fn add(a: i32, b: i32) -> i32 { f::<()>(a + b) }",
    "a flood of words": 'macro_rules! m { () => { compile_error!(concat!("'
    + '", "'.join(["x" * 1000] * 250)
    + '")); } }\n' + "m!();" * 10 + WRONG,
}  # fmt: skip

#: Those that would take for ever, or nearly.
ENDLESS = {
    "a macro that doubles": "macro_rules! m { ($($x:tt)*) => { m!{ $($x)* $($x)* } } } m!{ a }\n" + WRONG,
    "a macro without end": '#![recursion_limit = "100000000"]\nmacro_rules! m { ($x:tt) => { m!{ $x } } } m!{ a }\n' + WRONG,
    "a constant without end": "#![allow(long_running_const_eval)]\nconst X: i32 = { loop {} };\npub fn add(a: i32, b: i32) -> i32 { X }",
    "types that double": "type T0 = (u8, u8);\n" + "".join(f"type T{n + 1} = (T{n}, T{n});\n" for n in range(40)) + "pub fn add(a: i32, b: i32) -> usize { size_of::<T40>() }",
    "traits without end": '#![recursion_limit = "100000"]\ntrait T {} struct S<A>(A); impl<A> T for S<A> where S<S<A>>: T {} fn f<A: T>() {}\npub fn add(a: i32, b: i32) -> i32 { f::<S<u8>>(); a + b }',
    "text that doubles": "macro_rules! d { ($($t:tt)*) => { concat!($($t)*, $($t)*) } }\npub fn add(a: i32, b: i32) -> usize { " + "d!(" * 26 + '"aaaaaaaaaaaaaaaa"' + ")" * 26 + ".len() }",
    "a function of a megabyte": "pub fn add(mut a: u64, b: u64) -> u64 { " + "a = if a & 1 == b { a * 3 ^ b } else { a << 3 };" * 5000 + " a }",
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused(hasty, name):
    started = time.monotonic()
    with pytest.raises(BuildError) as refused:
        hasty.compile(parse_cell(LARGE[name], name="answer"))
    assert time.monotonic() - started < DEADLINE_S + BEYOND_S
    assert len(str(refused.value)) < 100_000


@pytest.mark.slow  # each is stopped only at its deadline
@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_stopped(hasty, name):
    started = time.monotonic()
    with pytest.raises(BuildError, match="not compiled"):
        hasty.compile(parse_cell(ENDLESS[name], name="answer"))
    assert time.monotonic() - started < DEADLINE_S + BEYOND_S


def test_hundreds_of_errors_are_told_in_part(session):
    with pytest.raises(BuildError) as refused:
        session.compile(
            parse_cell("pub fn add(a: i32, b: i32) -> i32 { " + "c;" * 600 + " a }", name="answer")
        )
    assert len(str(refused.value)) < 100_000


#: Answers that are dear to read for the judge itself, who looks at types, names and messages.
DEAR = {
    "aliases that double": "type A<T> = (T, T);\npub fn add(a: " + "A<" * 25 + "u8" + ">" * 25 + ", b: i32) -> i32 { 0 }",
    "aliases of aliases": "type A0<T> = (T, T);\n" + "".join(f"type A{n + 1}<T> = ({f'A{n}<T>, ' * 8});\n" for n in range(8)) + "pub fn add(a: A8<u8>, b: i32) -> i32 { 0 }",
    "thousands of functions": WRONG + "".join(f"pub fn f{n}() {{}}\n" for n in range(3000)),
    "deep types of arguments": "pub fn add(a: " + "Vec<" * 3000 + "u8" + ">" * 3000 + ", b: i32) -> i32 { 0 }",
    "a line of warnings": "pub fn add(a: i32, b: i32) -> i32 { " + "".join(f"let x{n} = 1; " for n in range(900)) + " a }",
    "parameters by hundreds": "pub fn add(" + ", ".join(f"a{n}: i32" for n in range(300)) + ") -> i32 { 0 }",
    "names that Python takes for one": "pub fn add(\ufb01: i32, fi: i32) -> i32 { fi - \ufb01 }",
}  # fmt: skip


@pytest.mark.parametrize("name", DEAR)
def test_the_judge_reads_no_answer_for_long(hasty, name):
    started = time.monotonic()
    with contextlib.suppress(WasmLabError, SyntaxError):
        assert set(define(hasty, DEAR[name])) <= {"add"}
    assert time.monotonic() - started < DEADLINE_S + BEYOND_S


def test_very_many_functions_are_refused(session):
    with pytest.raises(UsageError, match="public functions"):
        define(session, WRONG + "".join(f"pub fn f{n}() {{}}\n" for n in range(101)))


# The body itself --------------------------------------------------------------------------

BODIES = {
    "header": "---\n[dependencies]\nevil = '1'\n---\n" + WRONG,
    "header after blank lines": "\n \n---\npackage.edition = '2015'\n---\n" + WRONG,
    "script": "#!/usr/bin/env rust\n" + WRONG,
    "script and header": "#!x\n---\n---\n" + WRONG,
    "byte order mark and header": "\ufeff---\n---\n" + WRONG,
    "magic": WRONG + "\n%%bash\ncat /etc/passwd\n",
    "indented magic": WRONG + "\n  %%wasm_rust --dir /\n",
    "zero": WRONG + "\0",
    "escape": WRONG + "// \x1b[2J",
    "half a character": WRONG + "// \ud800",
    "too long": WRONG + "/" * BODY_BYTES,
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_answer_is_refused(name):
    assert refuse_body(BODIES[name])


@pytest.mark.parametrize("name", ["zero", "escape", "too long", "magic"])
def test_the_judge_refuses_it_too(session, name):
    with pytest.raises(HeaderError, match="is not compiled"):
        session.compile(parse_cell(BODIES[name], name="answer"))


@pytest.mark.parametrize(
    "body",
    [
        WRONG,
        "#![allow(dead_code)]\n" + WRONG,
        "// 100 %% sure\n" + WRONG,
        "\tpub fn a() {}\r\n",
        "// --- é 漢 😀",
    ],
)
def test_an_answer_is_not_refused(body):
    assert refuse_body(body) == ""


# The scratch folder -----------------------------------------------------------------------


def test_a_link_or_pipe_in_the_scratch_folder_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link.wasm").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe.wasm")
    (tmp_path / "folder.wasm").mkdir()
    with (tmp_path / "large.wasm").open("wb") as file:
        file.truncate(1 << 40)
    with behind_walls(Walls()):
        assert walled()
        for name in ("link", "pipe", "folder", "large", "absent"):
            with pytest.raises(BuildError):
                made_file(tmp_path / f"{name}.wasm")
        assert made_file(tmp_path / "secret") == b"secret"
    assert not walled()


def test_a_learners_own_session_has_no_walls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.txt").write_text("mine")
    from wasm_lab.session import Session

    session = Session()
    code = 'fn main() { print!("{}", include_str!("data.txt")) }'
    assert session.run(session.compile(parse_cell(code, name="own")), Capabilities()).stdout == b"mine"
