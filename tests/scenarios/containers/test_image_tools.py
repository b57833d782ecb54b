"""The lab's images in the hands of other programs: skopeo, umoci, a registry, containerd."""

import hashlib
import json
import os
import socket
import subprocess
import time
import urllib.request

import pytest

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.scenarios.containers.image import Entry, files_image, wasm_image
from wasm_lab.scenarios.containers.inspecting import inspect_image
from wasm_lab.services.containerd import Containerd
from wasm_lab.toolchains.image_tools import find_image_tool, image_tools_missing

pytestmark = pytest.mark.slow

MODULE = assemble('(module (memory (export "memory") 1) (func (export "_start")))')
COMPONENT = assemble("(component)")

IMAGES = {
    "compat": lambda: wasm_image(MODULE, "localhost/hello:1", arguments=["x"], environment={"A": "b"}),
    "wasi": lambda: wasm_image(MODULE, "localhost/hello:1", platform="wasi/wasm"),
    "artifact": lambda: wasm_image(MODULE, "localhost/hello:1", form="artifact"),
    "component": lambda: wasm_image(COMPONENT, "localhost/hello:1", form="artifact"),
    "files": lambda: files_image(
        {"one": [Entry("/bin/one", b"1", 0o755)], "two": [Entry("/lib/deep/two", b"2")]},
        "localhost/hello:1",
        entrypoint=["/bin/one"],
    ),
}


def tool(name, *words):
    assert not image_tools_missing(), f"{image_tools_missing()} make test-tools gets them"
    done = subprocess.run([find_image_tool(name), *words], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def skopeo(*words):
    return tool("skopeo", "--insecure-policy", *map(str, words))


@pytest.fixture(params=IMAGES)
def image(request):
    return IMAGES[request.param]()


def test_skopeo_reads_and_copies_them_byte_for_byte(tmp_path, image):
    image.write_archive(tmp_path / "a.tar")
    image.write_layout(tmp_path / "a")
    for source in (f"oci-archive:{tmp_path}/a.tar", f"oci-archive:{tmp_path}/a.tar:1", f"oci:{tmp_path}/a:1"):
        assert skopeo("inspect", "--raw", source) == image.manifest.data
        assert skopeo("inspect", "--raw", "--config", source) == image.config.data
    skopeo("copy", f"oci-archive:{tmp_path}/a.tar", f"oci:{tmp_path}/copy:1")
    for blob in (*image.layers, image.config, image.manifest):
        assert (tmp_path / "copy/blobs" / blob.digest.replace(":", "/")).read_bytes() == blob.data
    report = inspect_image(tmp_path / "copy")
    assert report.sound
    assert report.images[0].digest == image.digest


@pytest.mark.parametrize("name", ["compat", "wasi", "files"])
def test_skopeo_understands_ordinary_ones(tmp_path, name):
    image = IMAGES[name]()
    image.write_archive(tmp_path / "a.tar")
    said = json.loads(skopeo("inspect", f"oci-archive:{tmp_path}/a.tar"))
    assert said["Digest"] == image.digest
    assert (said["Os"], said["Architecture"]) == image.platform
    assert said["Layers"] == [layer.digest for layer in image.layers]


@pytest.mark.parametrize("name", ["compat", "files"])
def test_umoci_unpacks_what_was_put_in(tmp_path, name):
    image = IMAGES[name]()
    image.write_layout(tmp_path / "a")
    rootless = ["--rootless"] if os.geteuid() else []
    tool("umoci", "unpack", *rootless, "--image", f"{tmp_path}/a:1", str(tmp_path / "bundle"))
    root = tmp_path / "bundle/rootfs"
    spec = json.loads((tmp_path / "bundle/config.json").read_text())
    if name == "compat":
        assert (root / "hello.wasm").read_bytes() == MODULE
        assert spec["process"]["args"] == ["/hello.wasm", "x"]
        assert "A=b" in spec["process"]["env"]
        assert spec["annotations"]["org.opencontainers.image.created"] == "1970-01-01T00:00:00Z"
    else:
        assert (root / "bin/one").read_bytes() == b"1"
        assert (root / "bin/one").stat().st_mode & 0o777 == 0o755
        assert (root / "lib/deep/two").stat().st_mode & 0o777 == 0o644


def test_what_skopeo_made_of_one_is_looked_into(tmp_path):
    """Layers compressed by another program; and Docker's own archives, which are no layout."""
    IMAGES["compat"]().write_archive(tmp_path / "a.tar")
    skopeo(
        "copy",
        "--dest-compress",
        "--dest-compress-format",
        "zstd",
        f"oci-archive:{tmp_path}/a.tar",
        f"oci:{tmp_path}/zstd:1",
    )
    report = inspect_image(tmp_path / "zstd")
    assert report.sound
    assert report.images[0].form in {"compat", "native"}  # native where Python reads no zstd
    skopeo("copy", f"oci-archive:{tmp_path}/a.tar", f"docker-archive:{tmp_path}/docker.tar:hello:1")
    assert "docker save" in inspect_image(tmp_path / "docker.tar").problems[0].message


@pytest.fixture
def registry(tmp_path):
    """A registry on a free port, of this test alone; its address."""
    assert not image_tools_missing(), f"{image_tools_missing()} make test-tools gets them"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
        "http": {"addr": address},
    }
    (tmp_path / "registry.json").write_text(json.dumps(settings))  # JSON is YAML
    command = [find_image_tool("docker-registry"), "serve", tmp_path / "registry.json"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.05)
        else:
            pytest.fail((tmp_path / "log").read_text())
        yield address
    finally:
        server.kill()
        server.wait()


def test_a_registry_gives_back_what_was_pushed(tmp_path, registry):
    for name, make in IMAGES.items():
        image = make()
        image.write_archive(tmp_path / f"{name}.tar")
        place = f"docker://{registry}/lab/{name}:1"
        skopeo("copy", "--dest-tls-verify=false", f"oci-archive:{tmp_path}/{name}.tar", place)
        raw = skopeo("inspect", "--raw", "--tls-verify=false", place)
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == image.digest
        skopeo("copy", "--src-tls-verify=false", place, f"oci:{tmp_path}/{name}:1")
        for blob in (*image.layers, image.config, image.manifest):
            assert (tmp_path / name / "blobs" / blob.digest.replace(":", "/")).read_bytes() == blob.data


@pytest.mark.skipif(os.geteuid() != 0, reason="containerd runs as root alone")
def test_containerd_takes_them_by_name(tmp_path):
    assert not Containerd.missing(), f"{Containerd.missing()} make test-tools gets it"
    with Containerd() as containerd:
        for name in ("compat", "files"):
            image = IMAGES[name]()
            image.write_archive(tmp_path / f"{name}.tar")
            assert containerd.import_image(tmp_path / f"{name}.tar") == image.name
        # What the host does not run is taken when it is asked for by platform; nothing is started here.
        for name in ("wasi", "artifact"):
            image = IMAGES[name]()
            image.write_archive(tmp_path / f"{name}.tar")
            words = ["images", "import", "--no-unpack", "--all-platforms", str(tmp_path / f"{name}.tar")]
            containerd._ctr(*words)
            assert image.digest in containerd._ctr("images", "list")


def test_what_umoci_made_is_looked_into(tmp_path):
    """Its layers end with their last file; it gives no whole name."""
    (tmp_path / "hello.wasm").write_bytes(MODULE)
    place = f"{tmp_path}/layout:latest"
    tool("umoci", "init", "--layout", str(tmp_path / "layout"))
    tool("umoci", "new", "--image", place)
    rootless = ["--rootless"] if os.geteuid() else []
    tool("umoci", "insert", *rootless, "--image", place, str(tmp_path / "hello.wasm"), "/hello.wasm")
    tool("umoci", "config", "--image", place, "--config.entrypoint", "/hello.wasm")
    report = inspect_image(tmp_path / "layout")
    assert report.sound, report.problems
    (image,) = report.images
    assert (image.name, image.form, image.layers[0].files) == ("latest", "compat", 1)
    assert any("has no annotation module.wasm.image/variant" in one.message for one in report.problems)
