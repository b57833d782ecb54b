"""Files beside the code: modules and included files that it names by relative path.

rustc looks for them beside the file that it compiles, which for a cell is in a scratch
folder. So when the text may name any, the scratch folder gets the same path inside it as
the real folder has, made of links to what lies beside each part of that path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

#: What makes rustc read another file. Where it stands in a comment or string it costs a few links.
#: The lab's own files, whose names begin with ``__wasm_lab_``, lie beside the root file anyway.
_NAMES_A_FILE = re.compile(
    r"\bmod\s+(r#)?(?!__wasm_lab_)\w+\s*;|\binclude(_str|_bytes)?!|\bpath\s*=\s*\"(?!__wasm_lab_)"
)

#: How far up a module beside the code may look for the files that it includes.
LEVELS_OF_MODULES = 3


def may_name_files(text: str) -> bool:
    """Whether code may read other files at compile time."""
    return bool(_NAMES_A_FILE.search(text))


def mirror(folder: Path, scratch: Path, text: str) -> Path:
    """Make the scratch folder look like the surroundings of ``folder``.

    Takes the absolute folder of the code, and its text, which says how far up it looks.
    Gives the folder inside ``scratch`` in which the root file belongs.

    Raises:
        OSError: links cannot be made here, as on Windows without the right to.
    """
    parts = folder.parts[1:]
    levels_up = max((len(climb) // 3 for climb in re.findall(r"(?:\.\.[/\\])+", text)), default=0)
    levels_up = max(levels_up, LEVELS_OF_MODULES)  # whose text is not looked at
    inner = scratch
    for depth, part in enumerate(parts):
        if len(parts) - depth <= levels_up:
            _link_all(Path(folder.anchor, *parts[:depth]), inner, but=part)
        inner /= part
        inner.mkdir(exist_ok=True)  # from an earlier try in the same scratch folder
    _link_all(folder, inner, but="")
    return inner


def _link_all(real: Path, inner: Path, *, but: str) -> None:
    with os.scandir(real) as entries:
        for entry in entries:
            if entry.name != but and not os.path.lexists(inner / entry.name):
                (inner / entry.name).symlink_to(entry.path)
