"""A project of wrangler's, ``wrangler.jsonc`` or ``wrangler.toml``, as a worker to run here."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.build.foreign import load_file
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge.worker import COMPATIBILITY_DATE, Bindings, Worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.artifact import Artifact

#: Names of the file, in the order in which wrangler looks for them.
NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")

#: What changes nothing for a request on this machine.
_OF_DEPLOYMENT = frozenset(
    "$schema account_id addresses base_dir build compliance_region dev env find_additional_modules keep_names "
    "keep_vars limits logpush minify no_bundle observability placement preserve_file_names preview_urls "
    "previews route routes send_metrics tail_consumers triggers tsconfig type upload_source_maps usage_model "
    "workers_dev zone_id".split()
)
_READ = frozenset(
    "name main compatibility_date compatibility_flags vars kv_namespaces secrets alias rules wasm_modules "
    "text_blobs data_blobs".split()
)

_JSONC = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)

#: Variables for development that are in no repository, as ``NAME=VALUE``.
_DEV_VARS = ".dev.vars"

#: A variable by the rules of the npm package dotenv, by which wrangler reads that file: a value in quotes may go
#: on over lines and hold #; without them a # begins a comment.
_PAIR = re.compile(
    r"""^[^\S\n]*(?:export[^\S\n]+)?(?P<name>[\w.-]+)(?:[^\S\n]*=|:[^\S\n])[^\S\n]*
    (?:(?P<quote>["'`])(?P<quoted>(?:\\(?P=quote)|(?!(?P=quote))[\s\S])*)(?P=quote)[^\S\n]*(?:\#.*)?$
      |(?P<plain>[^\n#]*))""",
    re.MULTILINE | re.VERBOSE | re.ASCII,
)

#: Keys whose values are tables, with one as wrangler's documentation writes it.
_TABLES = {
    "vars": '{ GREETING = "hello" }',
    "alias": '{ greetings = "./greetings.js" }',
    "wasm_modules": '{ TOOLS = "./tools.wasm" }',
    "text_blobs": '{ PAGE = "./page.html" }',
    "data_blobs": '{ ICON = "./icon.bin" }',
    "build": '{ command = "npm run build" }',
}
#: Those of them whose values are texts.
_OF_TEXTS = frozenset(_TABLES) - {"vars", "build"}

#: What a table of ``kv_namespaces`` says of a namespace in deployment.
_OF_KV = ("id", "preview_id")


def find_project(path: Path) -> Path | None:
    """The configuration that a path means: itself, or the one in the folder; None when it is neither."""
    if path.is_dir():
        return next((path / name for name in NAMES if (path / name).is_file()), None)
    return path if path.name in NAMES or path.suffix in (".toml", ".jsonc") else None


def load_project(
    path: Path,
    *,
    artifacts: Mapping[str, Artifact] | None = None,
    bindings: Bindings | None = None,
    **settings: Any,
) -> Worker:
    """The worker of a configuration.

    Args:
        path: of the configuration; its folder is the project.
        artifacts: further modules that it may import.
        bindings: more for ``env``, in place of what the configuration says under the same name.
        settings: of `Worker.of`, in place of the configuration's.

    Raises:
        UsageError: it cannot be read, or binds what the lab does not have; says which.
    """
    read = _checked(path, _read(path))
    here = path.parent
    unknown = [key for key, value in read.items() if key not in _READ | _OF_DEPLOYMENT and value]
    if unknown:
        raise UsageError(
            f"{path} has {', '.join(unknown)}, which the lab does not have.",
            hint="It runs workers with variables, secrets, KV and modules. wrangler dev has the rest.",
        )
    main = Path(str(read.get("main", "")))
    if main.suffix not in (".js", ".mjs"):
        what = f"its main file is {main}" if read.get("main") else "it names no main file"
        raise UsageError(
            f"{path} cannot be run here: {what}.",
            hint="The lab runs JavaScript. Make one file of it, such as: "
            f"npx esbuild {main} --bundle --format=esm --outfile=worker.js",
        )
    blobs = {kind: read.get(kind, {}) for kind in ("wasm_modules", "text_blobs", "data_blobs")}
    if not (here / main).is_file() and (command := read.get("build", {}).get("command")):
        raise UsageError(
            f"{path} cannot be run here: {main} is not there.",
            hint=f"Its build makes the file, and the lab runs no builds. In {here}: {command}",
        )
    wasm = {name: load_file(here / file) for name, file in blobs["wasm_modules"].items()}
    namespaces = read.get("kv_namespaces", ())
    own = Bindings(
        texts={
            **{name: value for name, value in read.get("vars", {}).items() if isinstance(value, str)},
            **{name: _bytes(here / file).decode() for name, file in blobs["text_blobs"].items()},
        },
        json={name: value for name, value in read.get("vars", {}).items() if not isinstance(value, str)},
        secrets=_dev_vars(here / _DEV_VARS),
        data={name: _bytes(here / file) for name, file in blobs["data_blobs"].items()},
        kv=tuple(each["binding"] for each in namespaces),
        kv_ids={each["binding"]: {key: each[key] for key in _OF_KV if key in each} for each in namespaces},
    )
    aliases = {name: file for name, file in read.get("alias", {}).items() if file.startswith("./")}
    chosen = {
        "compatibility_date": min(
            str(read.get("compatibility_date", COMPATIBILITY_DATE)), COMPATIBILITY_DATE
        ),
        "compatibility_flags": tuple(read.get("compatibility_flags", ())),
        "label": str(here / main),
        **settings,
    }
    return Worker.of(
        str(read.get("name") or here.resolve().name),
        _bytes(here / main).decode(errors="replace"),
        folder=here,
        artifacts={**wasm, **(artifacts or {})},
        wasm=tuple(wasm),
        bindings=_merged(own, bindings or Bindings()),
        main=main.as_posix(),
        aliases=aliases,
        **chosen,
    )


def _read(path: Path) -> dict[str, Any]:
    text = _bytes(path).decode(errors="replace")
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        plain = _JSONC.sub(lambda match: match[1] or "", text)
        read = json.loads(_TRAILING.sub(lambda match: match[1] or "", plain))
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    if not isinstance(read, dict):
        raise UsageError(f"{path} is no configuration of wrangler: it holds no object.")
    return read


def _checked(path: Path, read: dict[str, Any]) -> dict[str, Any]:
    """A configuration whose values are of the types that wrangler's schema gives them.

    Raises:
        UsageError: one is of another type; says which, and what it would be.
    """

    def refuse(what: str, such_as: str) -> None:
        if path.suffix != ".toml":
            such_as = re.sub(r"(\w+) =", r'"\1":', such_as)
        raise UsageError(f"{path} cannot be read: {what}.", hint=f"Such as: {such_as}")

    for key, such_as in _TABLES.items():
        value = read.get(key, {})
        if not isinstance(value, dict):
            refuse(f"{key} is no table", such_as)
        elif key in _OF_TEXTS and not all(isinstance(each, str) for each in value.values()):
            refuse(f"{key} names something other than paths", such_as)
    if not _is_list(read.get("compatibility_flags", []), str):
        refuse("compatibility_flags is no list of texts", '["nodejs_compat"]')
    such_as = '[{ binding = "NOTES" }]'
    if not _is_list(read.get("kv_namespaces", []), dict):
        refuse("kv_namespaces is no list of tables", such_as)
    for each in read.get("kv_namespaces", []):
        if not isinstance(each.get("binding"), str):
            told = ", ".join(f"{key} {value!r}" for key, value in each.items()) or "no id"
            refuse(
                f"a table of kv_namespaces, with {told}, has no binding, which is its name in env", such_as
            )
    return read


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _merged(own: Bindings, more: Bindings) -> Bindings:
    """What the command line gives takes the place of what the project has under that name."""
    given = set(more.names())
    kept = {
        kind: {name: value for name, value in getattr(own, kind).items() if name not in given}
        for kind in ("texts", "secrets", "json", "data")
    }
    names = {name for values in kept.values() for name in values} - set(kept["secrets"])
    kept["secrets"] = {name: value for name, value in kept["secrets"].items() if name not in names}
    merged = {kind: {**values, **getattr(more, kind)} for kind, values in kept.items()}
    kv = (*(name for name in own.kv if name not in given), *more.kv)
    return replace(own, **merged, kv=kv)


def _dev_vars(path: Path) -> dict[str, str]:
    """The variables of a file; of two with one name the later."""
    if not path.is_file():
        return {}
    text = _bytes(path).decode("utf-8-sig", errors="replace")
    pairs = {}
    for found in _PAIR.finditer(re.sub(r"\r\n?", "\n", text)):
        value = found["plain"].strip() if found["quote"] is None else found["quoted"]
        if found["quote"] == '"':
            value = value.replace("\\n", "\n").replace("\\r", "\r")
        pairs[found["name"]] = value
    return pairs


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
