"""What the ``files`` of a component show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wasm_lab.components import Err
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.host.filesystem import Descriptor
from wasm_lab.scenarios.spin.host.mounts import tree_of
from wasm_lab.scenarios.spin.manifest import FileMount

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.scenarios.spin.host.mounts import Node


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    for name in ("a.txt", "b.md", "assets/x.css", "assets/deep/y.css", "assets/deep/.hidden", "data/z.bin"):
        path = app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "secret").write_text("secret")
    return app


def seen(node: Node | None, prefix: str = "") -> set[str]:
    if node is None:
        return set()
    found = set()
    for name in node.names():
        child = node.child(name)
        assert child is not None
        found |= seen(child, f"{prefix}{name}/") if child.is_folder else {prefix + name}
    return found


def shown(folder: Path, *mounts: FileMount, exclude: tuple[str, ...] = ()) -> set[str]:
    return seen(tree_of(folder, mounts, exclude))


def pattern(text: str) -> FileMount:
    return FileMount(source=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.txt", {"a.txt"}),
        ("*.txt", {"a.txt"}),
        ("?.*", {"a.txt", "b.md"}),
        ("[!a].md", {"b.md"}),
        ("*", {"a.txt", "b.md"}),
        ("**/*.css", {"assets/x.css", "assets/deep/y.css"}),
        ("assets/*", {"assets/x.css"}),
        ("assets/**/*", {"assets/x.css", "assets/deep/y.css", "assets/deep/.hidden"}),
        ("assets", {"assets/x.css", "assets/deep/y.css", "assets/deep/.hidden"}),
        ("nothing*", set()),
    ],
)
def test_patterns(folder: Path, text: str, expected: set[str]) -> None:
    assert shown(folder, pattern(text)) == expected


def test_folders_stand_where_the_manifest_says(folder: Path) -> None:
    mount = FileMount(source="assets", destination="/static/css")
    assert shown(folder, mount, pattern("a.txt")) == {
        "a.txt",
        "static/css/x.css",
        "static/css/deep/y.css",
        "static/css/deep/.hidden",
    }
    assert shown(folder, FileMount(source="data", destination="/")) == {"z.bin"}


def test_excluded_files_are_not_there(folder: Path) -> None:
    mount = FileMount(source="assets", destination="/")
    assert shown(folder, mount, exclude=("assets/deep/*",)) == {"x.css"}
    assert shown(folder, pattern("**/*"), exclude=("**/*.css", "data/**/*", "**/.hidden")) == {
        "a.txt",
        "b.md",
    }


def test_no_way_leads_out(folder: Path) -> None:
    (folder / "assets" / "link").symlink_to(folder.parent / "secret")
    (folder / "assets" / "up").symlink_to(folder.parent, target_is_directory=True)
    assert "link" not in shown(folder, FileMount(source="assets", destination="/"))
    root = tree_of(folder, [FileMount(source="assets", destination="/")], ())
    assert root is not None
    for path in ("link", "up", "up/secret", "../a.txt", "deep/../../a.txt", "/etc/passwd", "x.css/../x.css"):
        with pytest.raises(Err):
            Descriptor(root).open_at((), path, (), ())
    for text in ("../secret", "/etc/*", "assets/../../secret"):
        with pytest.raises(UsageError):
            tree_of(folder, [pattern(text)], ())


def test_nothing_can_be_changed(folder: Path) -> None:
    root = tree_of(folder, [pattern("**/*")], ())
    assert root is not None
    top = Descriptor(root)
    for call, arguments in (
        (top.create_directory_at, ("new",)),
        (top.unlink_file_at, ("a.txt",)),
        (top.rename_at, ("a.txt", top, "c.txt")),
        (top.symlink_at, ("a.txt", "c.txt")),
        (top.set_size, (0,)),
        (top.write, (b"x", 0)),
    ):
        with pytest.raises(Err) as caught:
            call(*arguments)
        assert caught.value.value == "read-only"


def test_a_missing_folder_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        tree_of(folder, [FileMount(source="nowhere", destination="/")], ())


def test_no_files_no_tree(folder: Path) -> None:
    assert tree_of(folder, [], ()) is None
