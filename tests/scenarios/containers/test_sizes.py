"""The comparison of sizes: every image is sound, and the least that still runs."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace

import pytest

from wasm_lab.scenarios.containers import fellows, sizes
from wasm_lab.scenarios.containers.image import Entry, files_image
from wasm_lab.scenarios.containers.sizes import Size, compare_sizes
from wasm_lab.scenarios.containers.static import static_program
from wasm_lab.toolchains.wasmedge import find_wasmedge
from wasm_lab.views.images import sizes_record, sizes_table
from wasm_lab.views.tables import print_table


def unpack(image, folder):
    for layer in image.layers:
        with tarfile.open(fileobj=io.BytesIO(layer.data)) as tar:
            tar.extractall(folder, filter="tar")


def run_in(folder, *words):
    return subprocess.run(["chroot", folder, *words], capture_output=True, text=True, timeout=60)


def test_what_is_missing_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    node = replace(sizes._BY_NAME["node"], missing=lambda: "No node is on PATH. To get it: apt.")
    monkeypatch.setattr(sizes, "_SUBJECTS", (sizes._BY_NAME["wasm-artifact"], node))
    steps = []
    wasm, node = compare_sizes(steps.append)
    assert steps == ["Wasm, as an artifact", "Node"]
    assert wasm.compressed == wasm.uncompressed == len(fellows.module())
    assert node == Size(name="node", title="Node", missing="No node is on PATH. To get it: apt.")
    stream = io.StringIO()
    print_table(sizes_table([wasm, node]), stream)
    assert "not available here" in stream.getvalue()
    assert "To get it: apt." in stream.getvalue()
    assert [sorted(each) for each in sizes_record([wasm, node])][1] == ["missing", "name", "title"]


@pytest.mark.slow
def test_a_module_is_the_smallest_and_its_engine_is_not():
    found = {each.name: each for each in compare_sizes()}
    assert not [each.missing for each in found.values() if each.missing]
    # Orders of magnitude, as docs/containers.md tells them.
    assert found["wasm"].compressed * 5 < found["native-static"].compressed
    assert found["native-static"].compressed < found["native"].compressed < found["python"].compressed
    assert found["wasm"].compressed * 100 < min(found[each].compressed for each in ("python", "node"))
    assert found["wasm-with-engine"].compressed > found["python"].compressed / 10
    assert [layer.title for layer in found["python"].layers] == [
        "libraries",
        "interpreter",
        "standard library",
        "program",
    ]


@pytest.mark.slow
def test_a_static_program_runs_where_nothing_else_is(tmp_path):
    program = static_program('fn main() { println!("alone"); }')
    image = files_image([Entry("/idle", program, 0o755)], "a", entrypoint=["/idle"])
    unpack(image, tmp_path)
    if os.geteuid():
        assert subprocess.check_output([tmp_path / "idle"], text=True) == "alone\n"
    else:
        assert run_in(tmp_path, "/idle").stdout == "alone\n"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may chroot")
@pytest.mark.parametrize("name", ["native", "python", "node"])
def test_the_least_images_run_with_nothing_beside_them(tmp_path, name):
    fellow = next(each for each in fellows.FELLOWS if each.name == name)
    with tarfile.open(fellows.archive(fellow).path) as archive:
        (entry,) = json.load(archive.extractfile("index.json"))["manifests"]
        manifest = json.load(blob(archive, entry))
        for layer in manifest["layers"]:
            with tarfile.open(fileobj=blob(archive, layer)) as tar:
                tar.extractall(tmp_path, filter="tar")
        command = json.load(blob(archive, manifest["config"]))["config"]["Entrypoint"]
    assert run_in(tmp_path, *command, "exit").stdout.strip().isdigit()


def blob(archive, descriptor):
    return archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/"))


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may chroot")
def test_a_module_runs_with_its_engine_and_nothing_beside_them(tmp_path, monkeypatch):
    assert find_wasmedge(), "make test-tools gets WasmEdge"
    made = {}
    monkeypatch.setattr(
        sizes, "files_image", lambda layers, name, entrypoint: made.update(layers, start=entrypoint)
    )
    sizes._with_engine()
    start = made.pop("start")
    for entry in (entry for entries in made.values() for entry in entries):
        path = tmp_path / entry.path[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry.content, bytes):
            path.write_bytes(entry.content)
        else:
            shutil.copyfile(entry.content, path)
        path.chmod(entry.mode)
    assert run_in(tmp_path, *start, "exit").stdout.strip().isdigit()
