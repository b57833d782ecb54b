"""Images of others: damaged, hostile, or only unwise. Every one is explained, none is believed."""

import gzip
import hashlib
import io
import json
import tarfile
import tracemalloc

import pytest

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.containers import contents, stores
from wasm_lab.scenarios.containers.image import Entry, files_image, wasm_image
from wasm_lab.scenarios.containers.inspecting import inspect_image

MODULE = assemble('(module (func (export "_start")))')
COMPONENT = assemble("(component)")


def layout_of(image, folder):
    image.write_layout(folder)
    return folder


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def put(folder, data):
    """Put a blob into a layout; gives its descriptor."""
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (folder / "blobs/sha256" / digest_of(data)).write_bytes(data)
    return {"digest": f"sha256:{digest_of(data)}", "size": len(data)}


def made(folder, *, config, layers, config_type="application/vnd.oci.image.config.v1+json", annotations=None):
    """A layout from a configuration and (media type, bytes) of layers, with digests that are right."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": config_type, **put(folder, json.dumps(config).encode())},
        "layers": [{"mediaType": kind, **put(folder, data)} for kind, data in layers],
        "annotations": annotations or {},
    }
    entry = {
        "mediaType": manifest["mediaType"],
        **put(folder, json.dumps(manifest).encode()),
        "annotations": {"io.containerd.image.name": "localhost/it:1"},
    }
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return folder


def tar_of(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, data in entries:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def said(path, level="error"):
    return [problem.message for problem in inspect_image(path).problems if problem.level == level]


def only(path, level="error"):
    (message,) = said(path, level)
    return message


@pytest.mark.parametrize("module", [MODULE, COMPONENT], ids=["module", "component"])
@pytest.mark.parametrize("form", ["compat", "artifact"])
def test_the_labs_own_images_are_sound(tmp_path, form, module):
    image = wasm_image(module, "localhost/hello:1", form=form)
    image.write_archive(tmp_path / "a.tar")
    image.write_layout(tmp_path / "a")
    for path in (tmp_path / "a.tar", tmp_path / "a"):
        report = inspect_image(path)
        assert report.sound
        (found,) = report.images
        assert (found.name, found.digest, found.form) == ("localhost/hello:1", image.digest, form)
        assert found.platform == str(image.platform)
        (layer,) = found.layers
        assert (layer.digest, layer.size_bytes) == (image.layers[0].digest, image.layers[0].size_bytes)
        assert layer.uncompressed_bytes == image.layers[0].uncompressed_bytes


def test_a_native_image_is_native(tmp_path):
    image = files_image([Entry("/bin/it", b"\x7fELF", 0o755)], "a", entrypoint=["/bin/it"])
    report = inspect_image(layout_of(image, tmp_path / "a"))
    assert report.sound
    assert report.images[0].form == "native"


# Damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["layer", "config", "manifest"])
def test_one_changed_byte_is_found(tmp_path, part):
    image = wasm_image(MODULE, "localhost/hello:1")
    blob = {"layer": image.layers[0], "config": image.config, "manifest": image.manifest}[part]
    path = layout_of(image, tmp_path / "a") / "blobs" / blob.digest.replace(":", "/")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "is damaged: the bytes have the digest sha256:" in said(tmp_path / "a")[0]


def test_what_is_missing_or_of_another_size_is_said(tmp_path):
    image = wasm_image(MODULE, "localhost/hello:1")
    path = layout_of(image, tmp_path / "a") / "blobs" / image.layers[0].digest.replace(":", "/")
    path.write_bytes(path.read_bytes() + b"\0")
    size = image.layers[0].size_bytes
    assert f"Its layer has {size + 1} bytes, and {size} are said." in said(tmp_path / "a")
    path.unlink()
    assert f"Its layer {image.layers[0].digest} is not here." in said(tmp_path / "a")


@pytest.mark.parametrize("cut", [100, 600, 1500, 3000, 6000])
def test_an_archive_that_ends_early_is_never_sound(tmp_path, cut):
    wasm_image(MODULE, "localhost/hello:1").write_archive(tmp_path / "a.tar")
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:cut])
    try:
        sound = inspect_image(tmp_path / "a.tar").sound
    except UsageError:
        sound = False
    assert not sound


def test_every_byte_of_an_archive_may_be_wrong(tmp_path):
    """No change of a byte makes another exception than the one that says what is wrong."""
    wasm_image(MODULE, "localhost/hello:1").write_archive(tmp_path / "a.tar")
    whole = (tmp_path / "a.tar").read_bytes()
    for at in range(0, len(whole) - 1024, 37):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (tmp_path / "b.tar").write_bytes(damaged)
        try:
            inspect_image(tmp_path / "b.tar")
        except UsageError:
            continue


def test_a_diff_id_that_is_another_is_found(tmp_path):
    layer = gzip.compress(tar_of((tarfile.TarInfo("a.wasm"), MODULE)))
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Entrypoint": ["/a.wasm"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]},
    }
    folder = made(tmp_path, config=config, layers=[("application/vnd.oci.image.layer.v1.tar+gzip", layer)])
    assert "Layer 0 is not what the configuration says" in only(folder)


@pytest.mark.parametrize(("cut", "sound"), [(515, True), (513, False), (300, False), (1024, True)])
def test_a_tar_may_end_with_its_last_file(tmp_path, cut, sound):
    """As umoci's do; Go reads them, and so do registries and containerd. Within a file none may end."""
    layer = tar_of((tarfile.TarInfo("a"), b"abc"))[:cut]
    config = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer)]},
    }
    folder = made(tmp_path, config=config, layers=[("application/vnd.oci.image.layer.v1.tar", layer)])
    assert inspect_image(folder).sound == sound


# Other kinds of files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (gzip.compress(b"tar", mtime=0), "gzip-compressed"),
        (b"PK\x03\x04", "a zip archive"),
        (MODULE, "WebAssembly itself"),
        (b"hello", "no tar file"),
        (b"", "no tar file"),
    ],
)
def test_what_is_no_archive_is_called_by_its_name(tmp_path, data, word):
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(UsageError, match=word):
        inspect_image(tmp_path / "a.tar")


def test_what_docker_save_writes_is_explained(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_of((tarfile.TarInfo("manifest.json"), b"[]")))
    assert "docker save" in only(tmp_path / "a.tar")


def test_an_empty_folder_is_no_layout(tmp_path):
    assert said(tmp_path) == ["oci-layout is missing.", "index.json is missing."]


# Hostile ones ------------------------------------------------------------------------------------


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b'{"imageLayoutVersion": "1.0.0"}')
    folder = layout_of(wasm_image(MODULE, "localhost/hello:1"), tmp_path / "a")
    (folder / "oci-layout").unlink()
    (folder / "oci-layout").symlink_to(secret)
    assert "It is a link, and only an ordinary file is read." in said(folder)
    (folder / "blobs").rename(tmp_path / "blobs")
    (folder / "blobs").symlink_to(tmp_path / "blobs")
    report = inspect_image(folder)
    assert not report.sound
    assert not report.images


def test_links_in_an_archive_are_not_followed(tmp_path):
    wasm_image(MODULE, "localhost/hello:1").write_archive(tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar, tarfile.open(tmp_path / "b.tar", "w") as other:
        for member in tar:
            if member.name == "index.json":
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
                other.addfile(member)
            else:
                other.addfile(member, tar.extractfile(member) if member.isreg() else None)
    assert "index.json is a link." in said(tmp_path / "b.tar")


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    """Of two, some tools take the first and others the last."""
    wasm_image(MODULE, "localhost/hello:1").write_archive(tmp_path / "a.tar")
    data = b'{"schemaVersion": 2, "manifests": []}'
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        info = tarfile.TarInfo("index.json")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    assert "index.json is there twice." in said(tmp_path / "a.tar")


@pytest.mark.parametrize(
    "digest", ["sha256:../../../etc/passwd", "../x:y", "sha256:", "", 7, None, "sha256:abc"]
)
def test_a_digest_that_is_a_path_or_nothing_leads_nowhere(tmp_path, digest):
    folder = layout_of(wasm_image(MODULE, "localhost/hello:1"), tmp_path / "a")
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0]["digest"] = digest
    (folder / "index.json").write_text(json.dumps(index))
    report = inspect_image(folder)
    assert not report.sound
    assert not report.images


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "7",
        "null",
        "[" * 100_000,
        '{"manifests": [[]]}',
        '{"manifests": {}}',
        "\xff",
        "{}",
        '{"manifests": NaN}',
    ],
)
def test_an_index_may_be_anything(tmp_path, text):
    folder = layout_of(wasm_image(MODULE, "localhost/hello:1"), tmp_path / "a")
    (folder / "index.json").write_bytes(text.encode("latin-1"))
    assert not inspect_image(folder).sound


WRONG = [None, 7, "x", [], {}, [7], {"a": 7}, True]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_fields_may_hold_anything(tmp_path, wrong):
    """Each field of a configuration and of a manifest, with each kind of JSON in it."""
    layer = ("application/vnd.oci.image.layer.v1.tar", tar_of((tarfile.TarInfo("a.wasm"), MODULE)))
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Entrypoint": ["/a.wasm"], "Cmd": ["x"], "Env": ["A=b"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer[1])]},
    }
    assert inspect_image(made(tmp_path / "right", config=config, layers=[layer])).sound
    for number, key in enumerate(config):
        made(tmp_path / str(number), config={**config, key: wrong}, layers=[layer])
        inspect_image(tmp_path / str(number))
    for key in config["config"]:
        broken = {**config, "config": {**config["config"], key: wrong}}
        inspect_image(made(tmp_path / key, config=broken, layers=[layer]))
    for kind in ("application/vnd.wasm.config.v0+json", "a/b"):
        inspect_image(
            made(tmp_path / kind[-3:], config={"component": wrong}, layers=[layer], config_type=kind)
        )


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "MOST_BYTES", 50_000_000)
    tar = tar_of((tarfile.TarInfo("zeros"), bytes(100_000_000)))
    layer = gzip.compress(tar)
    assert len(layer) < 200_000
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}}
    folder = made(tmp_path, config=config, layers=[("application/vnd.oci.image.layer.v1.tar+gzip", layer)])
    del tar, layer
    tracemalloc.start()
    notes = said(folder, "note")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any("larger than" in note for note in notes)
    assert peak < 20_000_000


def test_a_header_that_asks_for_memory_gets_none(tmp_path):
    """A pax header of a gigabyte, in an archive and in a layer."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    header = info.tobuf(format=tarfile.USTAR_FORMAT)
    (tmp_path / "a.tar").write_bytes(header + bytes(1024))
    with pytest.raises(UsageError, match="a header says that it has 1073741824 bytes"):
        inspect_image(tmp_path / "a.tar")
    config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:x"]}}
    layer = ("application/vnd.oci.image.layer.v1.tar", header + bytes(1024))
    assert "a header says" in only(made(tmp_path / "b", config=config, layers=[layer]))


def test_too_many_files_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "_MOST_FILES", 3)
    wasm_image(MODULE, "localhost/hello:1").write_archive(tmp_path / "a.tar")
    with pytest.raises(UsageError, match="more than 3 files"):
        inspect_image(tmp_path / "a.tar")


def test_indexes_in_indexes_end(tmp_path):
    index = {"schemaVersion": 2, "manifests": []}
    for _ in range(10):
        descriptor = put(tmp_path, json.dumps(index).encode())
        kind = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "manifests": [{"mediaType": kind, **descriptor}] * 3}
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (tmp_path / "index.json").write_text(json.dumps(index))
    assert any("more than 4 deep" in message for message in said(tmp_path))


@pytest.mark.parametrize(
    ("member", "word"),
    [
        (tarfile.TarInfo("../../etc/cron.d/x"), "would lie outside"),
        (tarfile.TarInfo("/etc/x"), "would lie outside"),
    ],
)
def test_files_that_would_lie_outside_are_told(tmp_path, member, word):
    layer = tar_of((member, b""))
    config = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer)]},
    }
    folder = made(tmp_path, config=config, layers=[("application/vnd.oci.image.layer.v1.tar", layer)])
    assert word in only(folder)


# Unwise ones -------------------------------------------------------------------------------------


def wasm_layout(folder, *, file="a.wasm", data=MODULE, entrypoint=("/a.wasm",), annotations=None, **more):
    layer = tar_of((tarfile.TarInfo(file), data))
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Entrypoint": list(entrypoint)},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer)]},
        **more,
    }
    kind = "application/vnd.oci.image.layer.v1.tar"
    return made(folder, config=config, layers=[(kind, layer)], annotations=annotations)


VARIANT = "module.wasm.image/variant"


def test_a_module_without_the_annotation_of_crun(tmp_path):
    assert "has no annotation module.wasm.image/variant" in only(wasm_layout(tmp_path), "note")


def test_a_variant_that_crun_does_not_know(tmp_path):
    assert "crun knows no" in only(wasm_layout(tmp_path, annotations={VARIANT: "smart"}), "warning")


def test_a_name_that_crun_takes_for_native(tmp_path):
    folder = wasm_layout(tmp_path, file="a", entrypoint=["/a"], annotations={VARIANT: "compat-smart"})
    assert "does not end in .wasm" in only(folder, "warning")


def test_an_entry_point_that_is_not_there(tmp_path):
    assert "'/b.wasm' is in no layer" in only(wasm_layout(tmp_path, entrypoint=["/b.wasm"]))


@pytest.mark.parametrize(
    ("data", "word"), [(b"\x7fELF....", "a native program"), (b"#!/bin/sh", "no WebAssembly")]
)
def test_what_is_said_to_be_wasm_and_is_not(tmp_path, data, word):
    assert word in only(wasm_layout(tmp_path, data=data, annotations={VARIANT: "compat-smart"}))


def test_an_image_for_wasm32(tmp_path):
    folder = wasm_layout(tmp_path, os="wasi", architecture="wasm32", annotations={VARIANT: "compat-smart"})
    assert "wasi/wasm32" in only(folder, "warning")


def test_a_platform_that_the_index_has_otherwise(tmp_path):
    folder = layout_of(wasm_image(MODULE, "localhost/a:1", platform="linux/arm64"), tmp_path / "a")
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0]["platform"]["architecture"] = "amd64"
    (folder / "index.json").write_text(json.dumps(index))
    assert only(folder, "warning") == "The index says linux/amd64, the configuration linux/arm64."


ARTIFACT = {"architecture": "wasm", "created": "1970-01-01T00:00:00Z", "os": "wasip1"}


@pytest.mark.parametrize(
    ("change", "layer", "word"),
    [
        ({"layerDigests": []}, MODULE, "are not the digests"),
        ({"os": "linux"}, MODULE, "It is for linux/wasm"),
        ({"os": "wasip2", "component": {}}, MODULE, "is a core module, which is wasip1"),
        ({}, COMPONENT, "is a component, which is wasip2"),
        ({"os": "wasip2"}, COMPONENT, "has no `component`"),
        ({}, b"text", "is no WebAssembly"),
    ],
)
def test_artifacts_that_do_not_follow_the_guide(tmp_path, change, layer, word):
    config = {**ARTIFACT, "layerDigests": ["sha256:" + digest_of(layer)], **change}
    kind = "application/vnd.wasm.config.v0+json"
    folder = made(tmp_path, config=config, layers=[("application/wasm", layer)], config_type=kind)
    assert word in only(folder)


def test_what_spin_pushes_is_known(tmp_path):
    """The layers and the configuration that spin's crates/oci makes; the configuration has no diff_ids."""
    layers = [
        ("application/vnd.wasm.content.layer.v1+wasm", COMPONENT),
        ("application/vnd.fermyon.spin.application.v1+config", b'{"spin_lock_version": 1}'),
    ]
    config = {
        "architecture": "wasm",
        "os": "Wasip1",
        "config": {"Labels": {"com.fermyon.spin.lockedAppDigest": "sha256:" + digest_of(layers[1][1])}},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    report = inspect_image(made(tmp_path, config=config, layers=layers))
    assert report.sound
    assert report.images[0].form == "spin"
    assert report.images[0].platform == "Wasip1/wasm"


def test_what_oci_tar_builder_makes_is_known(tmp_path):
    """runwasi's images with a Wasm layer and an ordinary configuration."""
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {"Entrypoint": ["/hello.wasm"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(MODULE)]},
    }
    kind = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm"
    report = inspect_image(made(tmp_path, config=config, layers=[(kind, MODULE)]))
    assert report.sound
    assert report.images[0].form == "compat"


def test_an_image_without_its_whole_name(tmp_path):
    folder = layout_of(wasm_image(MODULE, "localhost/a:1"), tmp_path / "a")
    index = json.loads((folder / "index.json").read_text())
    del index["manifests"][0]["annotations"]["io.containerd.image.name"]
    (folder / "index.json").write_text(json.dumps(index))
    assert "containerd has none for it" in only(folder, "note")


def test_blobs_of_no_image_are_counted(tmp_path):
    folder = layout_of(wasm_image(MODULE, "localhost/a:1"), tmp_path / "a")
    put(folder, b"left over")
    assert only(folder, "note") == "1 blobs (9 bytes) belong to no image here."
