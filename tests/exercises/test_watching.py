"""Watching: a saved file is seen once, whatever way it is written; others are not looked at."""

from __future__ import annotations

from wasm_lab.exercises.watching import saved_files


def test_each_save_is_seen_once(tmp_path) -> None:
    folder = tmp_path / "00_chapter"
    folder.mkdir()
    path = folder / "first.ipynb"
    path.write_text("one")
    (folder / "other.ipynb").write_text("one")
    steps = iter(
        [
            lambda: None,
            lambda: path.write_text("three"),
            lambda: (folder / "other.ipynb").write_text("not looked at"),
            lambda: None,
            lambda: (folder / "new").write_text("new") and (folder / "new").replace(path),
            path.unlink,
            lambda: path.write_text("again"),
        ]
    )
    waited = []

    def sleep(_seconds: float) -> None:
        waited.append(len(waited))
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    seen = []
    try:
        for saved in saved_files(tmp_path, {"first"}, sleep=sleep):
            seen.append((len(waited), saved.name))
    except KeyboardInterrupt:
        pass
    assert seen == [(2, "first.ipynb"), (5, "first.ipynb"), (7, "first.ipynb")]


def test_what_is_saved_before_anybody_asks_is_seen(tmp_path) -> None:
    folder = tmp_path / "00_chapter"
    folder.mkdir()
    path = folder / "first.ipynb"
    path.write_text("one")
    saved = saved_files(tmp_path, {"first"}, sleep=lambda _seconds: None)
    path.write_text("three")
    assert next(saved) == path
