"""``wasm-lab container build`` and ``inspect`` as commands."""

import json
import os
from pathlib import Path

import pytest

from wasm_lab.build.wasm_tools import assemble

MODULE = assemble('(module (func (export "_start")))')


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "My Hello.wasm"
    path.write_bytes(MODULE)
    return path


def test_an_image_is_built_and_looked_into(wasm_lab, tmp_path, module):
    archive = tmp_path / "out.tar"
    words = [
        "--arg",
        "one",
        "--arg",
        "--two",
        "-e",
        "A=b=c",
        "--annotation",
        "org.opencontainers.image.source=x",
    ]
    done = wasm_lab("container", "build", module, "-t", "localhost/hello:1", "-o", archive, "--json", *words)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["name"], made["form"], made["output"]) == ("localhost/hello:1", "compat", str(archive))
    done = wasm_lab("container", "inspect", archive, "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["sound"]
    assert report["problems"] == []
    (image,) = report["images"]
    assert image["digest"] == made["digest"]
    assert image["config"]["config"]["Entrypoint"] == ["/hello.wasm"]
    assert image["config"]["config"]["Cmd"] == ["one", "--two"]
    assert image["config"]["config"]["Env"] == ["A=b=c"]
    assert image["annotations"]["org.opencontainers.image.source"] == "x"
    shown = wasm_lab("container", "inspect", archive).stdout
    for part in ("localhost/hello:1", "/hello.wasm one --two", "compat-smart"):
        assert part in shown


def test_names_and_places_have_defaults(wasm_lab, module):
    done = wasm_lab("container", "build", module)
    assert done.returncode == 0, done.stderr
    assert "localhost/my-hello:latest" in done.stdout
    assert module.with_suffix(".tar").exists()


def test_a_folder_is_a_layout_and_two_builds_are_equal(wasm_lab, tmp_path, module):
    for name in ("a", "b"):
        done = wasm_lab("container", "build", module, "-o", tmp_path / name, "--form", "artifact")
        assert done.returncode == 0, done.stderr
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert "It holds no entry point" in done.stderr
    assert wasm_lab("container", "inspect", tmp_path / "a").returncode == 0


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_wat_is_assembled(wasm_lab, tmp_path):
    (tmp_path / "a.wat").write_text('(module (func (export "_start")))')
    done = wasm_lab("container", "build", tmp_path / "a.wat")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-t", "UPPER"], "small letters"),
        (["--platform", "x"], "no platform"),
        (["--form", "artifact", "--arg", "x"], "nothing on how it is started"),
        (["-e", "A"], "--env takes NAME=VALUE"),
        (["--annotation", "=b"], "--annotation takes NAME=VALUE"),
        (["-o", "out.tar.gz"], "are not compressed"),
        (["-o", "/nowhere/out.tar"], "cannot be written"),
        (["--form", "docker"], "--form"),
    ],
)
def test_wrong_usage_has_status_2(wasm_lab, module, words, said):
    done = wasm_lab("container", "build", module, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_what_is_no_module_is_no_image(wasm_lab, tmp_path):
    (tmp_path / "a.wasm").write_text("hello")
    done = wasm_lab("container", "build", tmp_path / "a.wasm")
    assert done.returncode == 1
    assert "is no WebAssembly" in done.stderr
    assert not (tmp_path / "a.tar").exists()


def test_a_damaged_image_has_status_1_and_no_escapes_reach_the_terminal(wasm_lab, tmp_path, module):
    assert wasm_lab("container", "build", module, "-o", tmp_path / "a").returncode == 0
    index = tmp_path / "a/index.json"
    found = json.loads(index.read_text())
    found["manifests"][0]["annotations"]["io.containerd.image.name"] = "\x1b[31mred\x1b]0;title\x07"
    index.write_text(json.dumps(found))
    done = wasm_lab("container", "inspect", tmp_path / "a")
    assert (done.returncode, "\x1b" in done.stdout + done.stderr) == (0, False)
    assert "\\x1b[31mred" in done.stdout
    for blob in (tmp_path / "a/blobs/sha256").iterdir():
        blob.write_bytes(blob.read_bytes()[:-1])
    done = wasm_lab("container", "inspect", tmp_path / "a")
    assert done.returncode == 1
    assert "error" in done.stdout
    assert "\x1b" not in done.stdout


def test_sources_are_built_first(wasm_lab, tmp_path):
    (tmp_path / "hello.rs").write_text('fn main() { println!("hello"); }')
    done = wasm_lab("container", "build", tmp_path / "hello.rs", "--profile", "size", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["uncompressed_bytes"] < 200_000


def test_source_date_epoch_is_read(wasm_lab, module, monkeypatch):
    monkeypatch.setitem(os.environ, "SOURCE_DATE_EPOCH", "tomorrow")
    done = wasm_lab("container", "build", module)
    assert done.returncode == 2
    assert "git log -1" in done.stderr


def test_help_has_examples(wasm_lab):
    for command in ("build", "inspect", "sizes"):
        assert f"wasm-lab container {command}" in wasm_lab("container", command, "--help").stdout


def test_the_output_beside_a_file_of_that_name_is_replaced_whole(wasm_lab, tmp_path, module):
    target = Path(tmp_path / "out.tar")
    target.write_bytes(b"x" * 100_000)
    assert wasm_lab("container", "build", module, "-o", target).returncode == 0
    assert wasm_lab("container", "inspect", target).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == ["out.tar"]
