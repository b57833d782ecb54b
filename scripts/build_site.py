"""Build the documentation site: into out/site, from documents, docstrings, and chapters with real outputs.

    .venv/bin/python scripts/build_site.py

Documents and chapters are put together as they lie in the repository, so that their links to each other hold. A
chapter that the tests have just executed is taken as it is; any other is executed now. A warning is an error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "out" / "site-sources"
SITE = ROOT / "out" / "site"


def main() -> int:
    shutil.rmtree(SOURCES, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "site", SOURCES)
    (SOURCES / "docs").mkdir()
    for path in (ROOT / "docs").glob("*.md"):
        shutil.copy(path, SOURCES / "docs")
    shutil.copytree(ROOT / "docs" / "servers", SOURCES / "docs" / "servers")
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, SOURCES)
    (SOURCES / "notebooks").mkdir()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(place_chapter, sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))))
    words = [
        "-m",
        "sphinx",
        "--builder",
        "html",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "--jobs",
        "auto",
    ]
    done = subprocess.run([sys.executable, *words, SOURCES, SITE], cwd=ROOT, check=False)
    if done.returncode == 0:
        print(f"The site: {SITE / 'index.html'}")
    return done.returncode


def place_chapter(name: str) -> None:
    """Put a chapter with its outputs among the sources."""
    from wasm_lab.chapters import chapter_path, execute_chapter, executed_chapter

    executed = executed_chapter(name)
    if executed is None:
        print(f"Executing {name}", flush=True)
        executed = execute_chapter(chapter_path(name), ROOT / "out" / "chapters", progress_bar=False).notebook
    shutil.copy(executed, SOURCES / "notebooks" / f"{name}.ipynb")


if __name__ == "__main__":
    sys.exit(main())
