"""A worker as files for Cloudflare's own tool, wrangler, which deploys it for real.

The form is that of Cloudflare's documentation ("Wrangler, Configuration"), which recommends
``wrangler.jsonc`` for new projects; ``wrangler.toml`` says the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from wasm_lab.build.wasm_tools import without_debug
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge.modules import SHORT

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.scenarios.edge.worker import Worker

JSONC, TOML = "wrangler.jsonc", "wrangler.toml"

#: The first line of a configuration that the lab wrote, by which it knows its own.
_MARK = "Written by wasm-lab"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def wrangler_settings(worker: Worker) -> dict[str, Any]:
    """The configuration of a worker, as wrangler's schema has it.

    Raises:
        UsageError: it has what such a configuration cannot say.

    Example:
        >>> from wasm_lab.scenarios.edge import Worker
        >>> worker = Worker.of("hello", "export default { fetch() { return new Response('hi'); } };")
        >>> wrangler_settings(worker)["main"]
        'hello.js'
    """
    bindings = worker.bindings
    if bindings.data and not worker.script:
        first = next(iter(bindings.data))
        raise UsageError(
            f"A module worker is given no bytes by name when it is deployed: env.{first}.",
            hint=f'Put the file beside it and write: import {first} from "./{first}.bin"',
        )
    settings: dict[str, Any] = {
        "name": worker.name.lower(),
        "main": worker.modules[0].name,
        "compatibility_date": worker.compatibility_date,
    }
    if worker.compatibility_flags:
        settings["compatibility_flags"] = list(worker.compatibility_flags)
    if worker.cells:
        # import … from "CELL", without a path, is the lab's short form.
        settings["alias"] = {cell: f"./{cell}.js" for cell in worker.cells}
    if bindings.texts or bindings.json:
        settings["vars"] = {**bindings.texts, **bindings.json}
    if bindings.kv:
        # Without an id, the first deployment makes the namespace.
        settings["kv_namespaces"] = [
            {"binding": name, **bindings.kv_ids.get(name, {})} for name in bindings.kv
        ]
    if bindings.secrets:
        settings["secrets"] = {"required": list(bindings.secrets)}
    if worker.script:
        wasm = {module.name: f"./{module.name}.wasm" for module in worker.modules[1:]}
        data = {name: f"./{name}.bin" for name in bindings.data}
        settings |= {key: value for key, value in (("wasm_modules", wasm), ("data_blobs", data)) if value}
    return settings


def wrangler_files(worker: Worker, *, toml: bool = False) -> dict[str, bytes]:
    """Everything that a deployment needs, by path.

    Args:
        toml: write ``wrangler.toml`` instead of ``wrangler.jsonc``.

    Raises:
        UsageError: as `wrangler_settings` does.
    """
    settings = wrangler_settings(worker)
    notes = [f"{_MARK} for the worker {worker.name}. Deploy it with: npx wrangler deploy"]
    if worker.allowed_hosts:
        notes.append(
            f"In the lab it may reach {', '.join(worker.allowed_hosts)} and nothing else; Cloudflare has no such limit."
        )
    files: dict[str, bytes] = {}
    if toml:
        files[TOML] = ("".join(f"# {note}\n" for note in notes) + _toml(settings)).encode()
    else:
        schema = {"$schema": "node_modules/wrangler/config-schema.json"}
        text = json.dumps({**schema, **settings}, indent=2, ensure_ascii=False)
        files[JSONC] = ("".join(f"// {note}\n" for note in notes) + text + "\n").encode()
    for module in worker.modules:
        if module.kind == SHORT:
            continue  # the alias stands for it
        name = module.name.partition("?")[0]
        if module.kind == "wasm":
            files[f"{name}.wasm" if worker.script else name] = without_debug(module.data)
        else:
            files[name] = module.data
    files |= {f"{name}.bin": data for name, data in worker.bindings.data.items()}
    if worker.bindings.secrets:
        lines = [
            "# Copy to .dev.vars for wrangler dev, and never commit that. In deployment: npx wrangler secret put NAME"
        ]
        lines += [f"{name}=" for name in worker.bindings.secrets]
        files[".dev.vars.example"] = ("\n".join(lines) + "\n").encode()
    return files


def export(worker: Worker, folder: Path, *, toml: bool = False) -> list[Path]:
    """Write these files into a folder that is new, empty, or of an earlier export.

    Raises:
        UsageError: the folder holds other files, or cannot be written.
    """
    files = wrangler_files(worker, toml=toml)
    try:
        if folder.exists() and any(folder.iterdir()) and not _is_own(folder):
            raise UsageError(
                f"{folder} holds files that the lab did not write.",
                hint="Name a folder that is new or empty.",
            )
        written = []
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            written.append(path)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    return written


def commands(worker: Worker, folder: Path) -> list[str]:
    """What deploys the files of a folder; it takes an account at Cloudflare."""
    secrets = [f"npx wrangler secret put {name}" for name in worker.bindings.secrets]
    return [f"cd {folder}", "npx wrangler deploy", *secrets]


def _is_own(folder: Path) -> bool:
    for name in (JSONC, TOML):
        file = folder / name
        if file.exists() and _MARK in file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]:
            return True
    return False


def _toml(settings: dict[str, Any]) -> str:
    plain = {key: value for key, value in settings.items() if not _is_table(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += [
                "",
                f"[{_key(key)}]",
                *(f"{_key(name)} = {_value(each)}" for name, each in value.items()),
            ]
        elif _is_table(value):
            for each in value:
                lines += ["", f"[[{_key(key)}]]"]
                lines += [f"{_key(name)} = {_value(inner)}" for name, inner in each.items()]
    return "\n".join([*lines, ""])


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if value is None:
        raise UsageError("TOML has no null.", hint="Export wrangler.jsonc instead.")
    if isinstance(value, bool) or not isinstance(value, (list, dict)):
        return json.dumps(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return "{ " + ", ".join(f"{_key(name)} = {_value(each)}" for name, each in value.items()) + " }"
