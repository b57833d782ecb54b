"""The command line as its users meet it: whole processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WASM_LAB = Path(sys.executable).with_name("wasm-lab")


def wasm_lab(*words: str | Path, stdin: bytes = b"", **kwargs: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([WASM_LAB, *words], input=stdin, capture_output=True, timeout=120, **kwargs)  # type: ignore[call-overload,no-any-return]


def rust(folder: Path, code: str, name: str = "guest.rs") -> Path:
    path = folder / name
    path.write_text(code)
    return path


def test_help_has_examples() -> None:
    for command in ("run", "test", "build", "inspect", "doctor", "cache", "quickstart", "bench"):
        shown = wasm_lab(command, "--help")
        assert shown.returncode == 0
        assert b"Example" in shown.stdout, command


def test_streams_and_status_are_the_guests_own(tmp_path: Path) -> None:
    file = rust(
        tmp_path,
        """
        use std::io::Read;
        fn main() {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            print!("{}", text.to_uppercase());
            eprintln!("{:?}", std::env::args().skip(1).collect::<Vec<_>>());
            std::process::exit(7);
        }
        """,
    )
    done = wasm_lab("run", file, "--flag", "a b", stdin=b"shout\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"SHOUT\n", b'["--flag", "a b"]\n')


def test_a_file_may_be_called_what_no_crate_may(tmp_path: Path) -> None:
    for name in ("loop.rs", "test.rs", "1st try.rs", "wasm-demo.rs"):
        done = wasm_lab("run", rust(tmp_path, 'fn main() { print!("ran"); }', name))
        assert (done.returncode, done.stdout) == (0, b"ran"), name


def test_a_trap_is_134_and_a_deadline_124(tmp_path: Path) -> None:
    trap = wasm_lab("run", rust(tmp_path, 'fn main() { panic!("on purpose"); }'))
    assert trap.returncode == 134
    assert b"on purpose" in trap.stderr
    late = wasm_lab("run", "--timeout", "300ms", rust(tmp_path, "fn main() { loop {} }"))
    assert late.returncode == 124
    assert b"--timeout" in late.stderr


def test_flags_of_the_wasmtime_cli(tmp_path: Path) -> None:
    file = rust(
        tmp_path,
        """
        fn main() {
            println!("{:?}", std::env::var("NAME"));
            println!("{:?}", std::fs::read_to_string("/in/note").map_err(|e| e.kind()));
            println!("{:?}", std::fs::write("/in/new", "x").is_ok());
        }
        """,
    )
    data = tmp_path / "data"
    data.mkdir()
    (data / "note").write_text("granted")
    open_ = wasm_lab("run", "--env", "NAME=v", "--dir", f"{data}::/in", "-W", "timeout=10s", file)
    assert open_.stdout == b'Ok("v")\nOk("granted")\ntrue\n'
    read_only = wasm_lab("run", "--dir-ro", f"{data}::/in", file)
    assert read_only.stdout.endswith(b'Ok("granted")\nfalse\n')
    wrong = wasm_lab("run", "-W", "nonsense=1", file)
    assert wrong.returncode == 2
    assert b"max-memory-size" in wrong.stderr


def test_a_compile_error_is_shown_with_the_files_own_lines(tmp_path: Path) -> None:
    file = rust(tmp_path, 'fn main() {\n    let n: u32 = "text";\n}\n')
    done = wasm_lab("run", file)
    assert done.returncode == 1
    assert b"E0308" in done.stderr
    assert f"{file}:2:18".encode() in done.stderr
    assert b"\x1b[" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_colours_obey_the_environment(tmp_path: Path) -> None:
    import os

    file = rust(tmp_path, "fn main() { nothing }")
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    assert b"\x1b[" in wasm_lab("run", file, env={**plain, "FORCE_COLOR": "1"}).stderr
    assert b"\x1b[" not in wasm_lab("run", file, env={**plain, "FORCE_COLOR": "1", "NO_COLOR": "1"}).stderr


def test_json_has_the_whole_run(tmp_path: Path) -> None:
    done = wasm_lab("run", "--json", "--audit", rust(tmp_path, 'fn main() { print!("out"); }'))
    run = json.loads(done.stdout)
    assert (run["stdout"], run["exit_status"], run["exit_code"]) == ("out", 0, 0)
    assert any(call["name"] == "fd_write" for call in run["audit"])


def test_tests_are_reported_as_libtest_does(tmp_path: Path) -> None:
    file = rust(
        tmp_path,
        """
        fn half(n: i32) -> i32 { n / 2 }
        #[test] fn halves() { assert_eq!(half(4), 2); }
        #[test] fn wrong() { assert_eq!(half(4), 3); }
        #[test] #[should_panic(expected = "by zero")] fn zero() { let _ = 1 / half(0); }
        #[test] #[ignore = "slow"] fn slow() { loop {} }
        """,
    )
    done = wasm_lab("test", file)
    assert done.returncode == 101
    text = done.stdout.decode()
    assert "test halves ... ok" in text
    assert "test zero - should panic ... ok" in text
    assert "test slow ... ignored, slow" in text
    assert "test result: FAILED. 2 passed; 1 failed; 1 ignored" in text
    assert "right: 3" in text
    assert wasm_lab("test", file, "halves").returncode == 0
    report = json.loads(wasm_lab("test", "--json", file).stdout)
    assert [result["outcome"] for result in report["results"]] == ["ok", "ignored", "FAILED", "ok"]


def test_build_and_inspect(tmp_path: Path) -> None:
    file = rust(tmp_path, 'fn main() { println!("hello"); }')
    built = json.loads(wasm_lab("build", "--json", file).stdout)
    assert (tmp_path / "guest.wasm").stat().st_size == built["size_bytes"]
    seen = json.loads(wasm_lab("inspect", "--json", tmp_path / "guest.wasm").stdout)
    assert seen["sha256"] == built["sha256"]
    assert any(item["name"] == "fd_write" for item in seen["imports"])
    assert any(item["name"] == "_start" for item in seen["exports"])
    assert wasm_lab("run", tmp_path / "guest.wasm").stdout == b"hello\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("bad.wasm", b"MZ\x90\x00not wasm", b"bad.wasm"),
        ("short.wasm", b"\0asm\x01\0\0\0\x01\x7f", b"short.wasm"),
        ("bad.wat", b"(module (func", b"bad.wat"),
        ("text.rs", b"\xff\xfe", b"not UTF-8"),
    ],
)
def test_bad_files_get_a_clear_error(tmp_path: Path, name: str, content: bytes, expected: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    done = wasm_lab("run", file)
    assert done.returncode in (1, 2)
    assert expected in done.stderr
    assert b"Traceback" not in done.stderr


def test_wrong_usage_is_2_and_says_what_is_right() -> None:
    done = wasm_lab("run", "absent.rs")
    assert done.returncode == 2
    assert b"does not exist" in done.stderr
    assert wasm_lab("nonsense").returncode == 2


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    file = rust(tmp_path, 'fn main() { for n in 0..1_000_000 { println!("{n}"); } }')
    wasm_lab("build", file)
    done = subprocess.run(
        f"{WASM_LAB} run {tmp_path / 'guest.wasm'} | head -n 1", shell=True, capture_output=True, timeout=60
    )
    assert done.stdout == b"0\n"
    assert b"Traceback" not in done.stderr


def test_what_a_condition_ignores_is_ignored(tmp_path: Path) -> None:
    file = rust(tmp_path, '#[test] #[cfg_attr(target_family = "wasm", ignore)] fn f() { panic!() }\n')
    done = wasm_lab("test", file)
    assert done.returncode == 0
    assert b"test f ... ignored" in done.stdout
