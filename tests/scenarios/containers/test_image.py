"""Images of modules: their bytes, and that the same input makes the same ones."""

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from wasm_lab.artifact import COMPONENT_PREAMBLE, CORE_PREAMBLE
from wasm_lab.build import build
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.errors import LoadError, UsageError
from wasm_lab.scenarios.containers.image import Entry, files_image, wasm_image
from wasm_lab.scenarios.containers.names import parse_name
from wasm_lab.source import Kind, Source

MODULE = assemble('(module (memory (export "memory") 1) (func (export "_start")))')
COMPONENT = assemble(
    """(component
        (import "wasi:cli/environment@0.2.0" (instance))
        (core module $m (func (export "run") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func $run (result u32) (canon lift (core func $i "run")))
        (export "run" (func $run)))"""
)


@pytest.fixture(autouse=True)
def no_source_date(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def unpacked(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def blob(files, descriptor):
    data = files["blobs/" + descriptor["digest"].replace(":", "/")]
    assert hashlib.sha256(data).hexdigest() == descriptor["digest"].partition(":")[2]
    assert len(data) == descriptor["size"]
    return data


def test_an_archive_holds_a_whole_image(tmp_path):
    image = wasm_image(
        MODULE,
        "localhost/hello:1",
        platform="linux/amd64",
        arguments=["--loud"],
        environment={"NAME": "a=b"},
        annotations={"org.opencontainers.image.source": "https://example.org/hello"},
    )
    image.write_archive(tmp_path / "hello.tar")
    files = unpacked(tmp_path / "hello.tar")
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": "localhost/hello:1",
        "org.opencontainers.image.ref.name": "1",
    }
    assert entry["platform"] == {"os": "linux", "architecture": "amd64"}
    assert entry["digest"] == image.digest
    manifest = json.loads(blob(files, entry))
    assert manifest["annotations"] == {
        "module.wasm.image/variant": "compat-smart",
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "org.opencontainers.image.source": "https://example.org/hello",
        "org.opencontainers.image.title": "hello.wasm",
    }
    config = json.loads(blob(files, manifest["config"]))
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"] == {
        "Entrypoint": ["/hello.wasm"],
        "Cmd": ["--loud"],
        "Env": ["NAME=a=b"],
        "WorkingDir": "/",
    }
    (layer,) = manifest["layers"]
    plain = gzip.decompress(blob(files, layer))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(plain).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        (member,) = tar.getmembers()
        assert (member.name, member.mode, member.uid, member.gid) == ("hello.wasm", 0o755, 0, 0)
        assert tar.extractfile(member).read() == MODULE
    assert image.size_bytes == (layer["size"], len(plain))


def test_an_artifact_says_what_a_component_imports_and_exports(tmp_path):
    image = wasm_image(COMPONENT, "localhost/hello:1", form="artifact")
    image.write_archive(tmp_path / "hello.tar")
    files = unpacked(tmp_path / "hello.tar")
    (entry,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(files, entry))
    assert manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/wasm"
    assert blob(files, layer) == COMPONENT
    assert json.loads(blob(files, manifest["config"])) == {
        "architecture": "wasm",
        "component": {"exports": ["run"], "imports": ["wasi:cli/environment@0.2.0"]},
        "created": "1970-01-01T00:00:00Z",
        "layerDigests": [layer["digest"]],
        "os": "wasip2",
    }


def test_a_core_module_is_wasip1_and_has_no_component():
    config = json.loads(wasm_image(MODULE, "a", form="artifact").config.data)
    assert config["os"] == "wasip1"
    assert "component" not in config


@pytest.mark.parametrize("form", ["compat", "artifact"])
@pytest.mark.parametrize("module", [MODULE, COMPONENT], ids=["module", "component"])
def test_the_same_module_makes_the_same_bytes(tmp_path, monkeypatch, form, module):
    for number, seconds in enumerate((1_000_000_000, 2_000_000_000)):
        monkeypatch.setattr("time.time", lambda seconds=seconds: seconds)
        wasm_image(module, "localhost/hello:1", form=form).write_archive(tmp_path / f"{number}.tar")
    assert (tmp_path / "0.tar").read_bytes() == (tmp_path / "1.tar").read_bytes()


def test_these_bytes_do_not_change_unnoticed():
    """An image made by an earlier version of the lab has the same parts before compression."""
    image = wasm_image(CORE_PREAMBLE, "localhost/empty:1", platform="linux/amd64")
    assert image.layers[0].diff_id.endswith("f3bdc64eff96d2df")
    assert wasm_image(CORE_PREAMBLE, "localhost/empty:1", form="artifact").digest.endswith("c5959dd19f902481")


def test_files_make_the_same_bytes_whatever_their_times_modes_and_order(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    entries = [Entry("/lib/one", tmp_path / "one"), Entry("/bin/two", b"2", 0o755), Entry("/a", b"")]
    first = files_image(entries, "a", entrypoint=["/bin/two"])
    (tmp_path / "one").touch()
    (tmp_path / "one").chmod(0o600)
    assert files_image(entries[::-1], "a", entrypoint=["/bin/two"]).digest == first.digest
    with tarfile.open(fileobj=io.BytesIO(first.layers[0].data)) as tar:
        assert [(one.name, one.mode) for one in tar] == [
            ("a", 0o644),
            ("bin", 0o755),
            ("bin/two", 0o755),
            ("lib", 0o755),
            ("lib/one", 0o644),
        ]


def test_source_date_epoch_is_the_time_of_everything(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    image = wasm_image(MODULE, "a")
    assert json.loads(image.config.data)["created"] == "2023-11-14T22:13:20Z"
    created = json.loads(image.manifest.data)["annotations"]["org.opencontainers.image.created"]
    assert created == "2023-11-14T22:13:20Z"
    with tarfile.open(fileobj=io.BytesIO(image.layers[0].data)) as tar:
        assert tar.getmembers()[0].mtime == 1_700_000_000


@pytest.mark.parametrize("value", ["now", "-1", "1.5", "99999999999", "١"])
def test_a_source_date_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        wasm_image(MODULE, "a")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("hello", "docker.io/library/hello:latest"),
        ("me/hello:2", "docker.io/me/hello:2"),
        ("localhost/hello:1", "localhost/hello:1"),
        ("localhost:5000/a/b__c:v1.2-x", "localhost:5000/a/b__c:v1.2-x"),
        ("ghcr.io/me/app", "ghcr.io/me/app:latest"),
        ("docker.io/hello", "docker.io/library/hello:latest"),
    ],
)
def test_short_names_mean_what_they_mean_to_docker(short, full):
    assert str(parse_name(short)) == full


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Hello",
        "a:",
        "a b",
        "a@sha256:00",
        "a/../b",
        "-a",
        "a:b:c",
        "localhost/",
        "a" * 300,
        "a:" + "t" * 129,
    ],
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(UsageError):
        parse_name(name)


def test_what_cannot_be_is_refused():
    with pytest.raises(LoadError):
        wasm_image(b"#!/bin/sh", "a")
    with pytest.raises(UsageError, match="no form"):
        wasm_image(MODULE, "a", form="docker")
    with pytest.raises(UsageError, match="nothing on how it is started"):
        wasm_image(MODULE, "a", form="artifact", arguments=["x"])
    with pytest.raises(UsageError, match="platform"):
        wasm_image(MODULE, "a", platform="linux")
    with pytest.raises(UsageError, match="variable"):
        wasm_image(MODULE, "a", environment={"A=B": "c"})
    with pytest.raises(UsageError, match="NUL"):
        wasm_image(MODULE, "a", arguments=["a\0b"])
    with pytest.raises(UsageError, match="not UTF-8"):
        wasm_image(MODULE, "a", arguments=["caf\udce9"])
    with pytest.raises(UsageError, match="annotation"):
        wasm_image(MODULE, "a", annotations={"": "c"})


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("relative", b"")],
        [Entry("/../up", b"")],
        [Entry("/", b"")],
        [Entry("/a", b""), Entry("/a", b"")],
        [Entry("/a", b""), Entry("/a/b", b"")],
        [Entry("/a/b", b""), Entry("/a", b"")],
    ],
)
def test_paths_that_cannot_be_are_refused(entries):
    with pytest.raises(UsageError):
        files_image(entries, "a", entrypoint=["/a"])


def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(UsageError, match="gone cannot be read"):
        files_image([Entry("/a", tmp_path / "gone")], "a", entrypoint=["/a"])


def test_a_layout_takes_several_images_and_replaces_one_of_the_same_name(tmp_path):
    folder = tmp_path / "layout"
    first = wasm_image(MODULE, "localhost/a:1")
    first.write_layout(folder)
    wasm_image(MODULE, "localhost/a:2").write_layout(folder)
    changed = wasm_image(COMPONENT, "localhost/a:1")
    changed.write_layout(folder)
    manifests = json.loads((folder / "index.json").read_bytes())["manifests"]
    names = {one["annotations"]["io.containerd.image.name"]: one["digest"] for one in manifests}
    assert set(names) == {"localhost/a:1", "localhost/a:2"}
    assert names["localhost/a:1"] == changed.digest != first.digest
    with pytest.raises(UsageError, match=r"holds localhost/a:1"):
        wasm_image(MODULE, "localhost/b:1").write_layout(folder)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="no OCI layout"):
        wasm_image(MODULE, "a").write_layout(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        wasm_image(MODULE, "a").write_archive(tmp_path / "gone" / "a.tar")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError):
        wasm_image(MODULE, "a").write_layout(tmp_path / "file")


def test_a_component_says_that_crun_does_not_run_it():
    assert "crun" in wasm_image(COMPONENT, "a").remarks[0]
    assert not wasm_image(MODULE, "a").remarks


def test_the_preambles_alone_are_a_module_and_a_component():
    assert not wasm_image(CORE_PREAMBLE, "a").remarks
    assert wasm_image(COMPONENT_PREAMBLE, "a").remarks


def test_what_the_lab_built_goes_in_without_debug_information_and_a_foreign_file_as_it_is():
    made = build(Source(code="fn main() {}", kind=Kind.PROGRAM))
    assert b".debug_" in made.wasm
    ours, foreign = wasm_image(made, "a").size_bytes, wasm_image(made.wasm, "a").size_bytes
    assert ours.compressed < foreign.compressed
    assert foreign.uncompressed > len(made.wasm)
