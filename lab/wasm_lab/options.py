"""The options that cells and commands share: spelled, documented and parsed once.

Flags follow the wasmtime CLI wherever it has one: ``--env``, ``--dir``, ``--argv0``,
``-W fuel=N,timeout=1s,max-memory-size=BYTES`` and ``-S inherit-env``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wasm_lab import capabilities as caps
from wasm_lab.errors import UsageError
from wasm_lab.measure.plan import MIN_ROUNDS
from wasm_lab.run import Phase
from wasm_lab.runtimes import NAMES as RUNTIMES
from wasm_lab.source import DEFAULT_EDITION, EDITIONS, Profile, Target

if TYPE_CHECKING:
    from wasm_lab.bench.comparing import Effort
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.scenarios.edge.worker import Bindings

_FILE = click.Path(dir_okay=False, path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


def _stack(decorate: list[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    def apply(command: Command) -> Command:
        for decorator in reversed(decorate):
            command = decorator(command)
        return command

    return apply


def _runtime_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For the shell's completion. Which of them are missing here is said when one is used."""
    del ctx, param
    return [name for name in RUNTIMES if name.startswith(incomplete)]


def runtime_option(default: str | None) -> Callable[[Command], Command]:
    """``--runtime NAME``; without a default, it is left to the session."""
    return click.option(
        "--runtime",
        shell_complete=_runtime_names,
        metavar="NAME",
        default=default,
        help=f"The engine to run in: {', '.join(RUNTIMES)}.  [default: wasmtime]",
    )


profile_option = click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    default=Profile.RELEASE.value,
    show_default=True,
    help="How to optimise: dev checks overflow, release is fast, size is small.",
)

#: What the code compiles to.
build_options = _stack(
    [
        profile_option,
        click.option(
            "--target",
            type=click.Choice([target.value for target in Target]),
            default=Target.WASIP1.value,
            show_default=True,
            help="A core module for WASI 0.1, or a component for WASI 0.2.",
        ),
        click.option(
            "--edition",
            type=click.Choice(EDITIONS),
            help=f"The Rust edition.  [default: the header's, else {DEFAULT_EDITION}]",
        ),
    ]
)

#: What the guest may touch and use. Files, environment and network start closed.
capability_options = _stack(
    [
        click.option("--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable, or pass ours on."),
        click.option(
            "--dir", "dirs", multiple=True, metavar="HOST[::GUEST]", help="Open a folder, to read and write."
        ),
        click.option("--dir-ro", multiple=True, metavar="HOST[::GUEST]", help="Open a folder, only to read."),
        click.option("--allow-host", multiple=True, metavar="HOST:PORT", help="Allow outbound connections."),
        click.option("--clock", default="real", metavar="MODE", help="real, frozen, frozen=NS or refused."),
        click.option("--random", default="real", metavar="MODE", help="real, seed=N or refused."),
        click.option("--memory", metavar="SIZE", help="Linear memory at most, such as 64MiB, or none."),
        click.option(
            "--fuel", type=click.IntRange(min=1), help="Instructions at most, counted by the engine."
        ),
        click.option("--timeout", metavar="TIME", help="Stop the guest after this, such as 500ms, or none."),
        click.option("--max-output", metavar="SIZE", help="Stop a guest that writes more, or none."),
        click.option("--argv0", metavar="NAME", default="", help="What the guest sees as its own name."),
        click.option(
            "-W", "--wasm", multiple=True, metavar="KEY=VALUE,…", help="fuel, timeout, max-memory-size."
        ),
        click.option("-S", "--wasi", multiple=True, metavar="KEY[=y|n],…", help="inherit-env."),
    ]
)


def capabilities_from(options: dict[str, Any], args: tuple[str, ...], base: Capabilities) -> Capabilities:
    """Capabilities from parsed options; what no option names stays as ``base`` has it.

    Raises:
        UsageError: an option's text cannot be read.
    """
    clock, frozen_ns = caps.parse_clock(options["clock"])
    random, seed = caps.parse_random(options["random"])
    limits: dict[str, Any] = {}
    if options["memory"] is not None:
        limits["memory_bytes"] = caps.parse_size(options["memory"])
    if options["timeout"] is not None:
        limits["deadline_s"] = caps.parse_duration(options["timeout"])
    if options["max_output"] is not None:
        limits["output_bytes"] = caps.parse_size(options["max_output"])
    if options["fuel"] is not None:
        limits["fuel"] = options["fuel"]
    limits |= _wasmtime_limits(options["wasm"])
    env = dict(os.environ) if _inherits_environment(options["wasi"]) else {}
    env |= dict(caps.parse_env(text, os.environ) for text in options["env"])
    dirs = [caps.parse_directory(text, writable=True) for text in options["dirs"]]
    dirs += [caps.parse_directory(text, writable=False) for text in options["dir_ro"]]
    return replace(
        base,
        args=args,
        program=options["argv0"] or base.program,
        env=env,
        dirs=tuple(dirs),
        hosts=tuple(options["allow_host"]),
        clock=clock,
        frozen_ns=frozen_ns,
        random=random,
        seed=seed,
        **limits,
    )


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for pair in ",".join(words).split(","):
        if pair:
            key, _, value = pair.partition("=")
            pairs.append((key, value))
    return pairs


def _wasmtime_limits(words: tuple[str, ...]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for key, value in _pairs(words):
        match key:
            case "fuel" if value.isdecimal():
                limits["fuel"] = int(value)
            case "timeout":
                limits["deadline_s"] = caps.parse_duration(value)
            case "max-memory-size":
                limits["memory_bytes"] = caps.parse_size(value)
            case _:
                raise UsageError(
                    f"-W {key}={value} is not known here.",
                    hint="Known are fuel=N, timeout=TIME and max-memory-size=SIZE.",
                )
    return limits


def _inherits_environment(words: tuple[str, ...]) -> bool:
    inherit = False
    for key, value in _pairs(words):
        if key != "inherit-env" or value not in ("", "y", "n"):
            raise UsageError(f"-S {key} is not known here.", hint="Known is inherit-env[=y|n].")
        inherit = value != "n"
    return inherit


def file_of_stdin(path: str | None) -> bytes:
    """The bytes of ``path``; none when it is None.

    Raises:
        UsageError: the file cannot be read.
    """
    if path is None:
        return b""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


#: How much a comparison measures, and what becomes of its samples.
bench_options = _stack(
    [
        click.option(
            "--runtime",
            "where",
            multiple=True,
            metavar="NAME",
            help="Where to measure; may be repeated.  [default: wherever it runs here]",
        ),
        click.option(
            "--phase",
            "phases",
            multiple=True,
            type=click.Choice([*(phase.value for phase in Phase), "all"]),
            help="What to time; may be repeated.  [default: steady call, or run]",
        ),
        click.option("--budget", default="20s", metavar="TIME", show_default=True, help="Time to spend."),
        click.option(
            "--rounds",
            type=click.IntRange(min=1),
            default=MIN_ROUNDS,
            show_default=True,
            help="Fresh processes of each, at least.",
        ),
        click.option("--baseline", default="", metavar="NAME", help="Whom the others are compared with."),
        click.option("--guards", is_flag=True, help="Measure the price of epochs, fuel and audit too."),
        click.option("--seed", type=int, default=0, help="Of the order in which turns are taken."),
        click.option("--save", type=_FILE, metavar="FILE", help="Write every sample: .jsonl or .csv."),
        click.option("--compare", type=_FILE, metavar="FILE", help="Compare with samples saved earlier."),
    ]
)


def effort_from(options: dict[str, Any], available: tuple[Phase, ...]) -> Effort:
    """How much to measure, from parsed options.

    Args:
        available: the phases that ``--phase all`` means; the last decides when it is enough.

    Raises:
        UsageError: the budget is no time.
    """
    from wasm_lab.bench.comparing import Effort

    budget_s = caps.parse_duration(options["budget"])
    if not budget_s:
        raise UsageError("A comparison needs a time budget.", hint="Such as --budget 20s.")
    chosen = options["phases"]
    phases = available if "all" in chosen else tuple(phase for phase in Phase if phase.value in chosen)
    return Effort(
        phases=phases,
        budget_s=budget_s,
        rounds=options["rounds"],
        baseline=options["baseline"],
        seed=options["seed"],
    )


def _named(option: str, value: str, what: str) -> Callable[[Command], Command]:
    return click.option(
        f"--{option}",
        f"{option}s".replace("-", "_"),
        multiple=True,
        metavar=f"NAME={value}",
        help=f"{what}; may be repeated.",
    )


#: What a Cloudflare Worker may use.
worker_options = _stack(
    [
        _named("var", "VALUE", "A text in env"),
        _named("secret", "VALUE", "A text in env that is shown and exported nowhere"),
        _named("json-var", "VALUE|@FILE", "A JSON value in env, parsed"),
        _named("text", "FILE", "The text of a file in env"),
        _named("data", "FILE", "The bytes of a file in env, as ArrayBuffer"),
        click.option("--kv", multiple=True, metavar="NAME", help="A KV namespace in env; may be repeated."),
        click.option(
            "--allow-host",
            "allowed_hosts",
            multiple=True,
            metavar="HOST[:PORT]",
            help="A host that it may send requests to; may be repeated.  [default: none]",
        ),
        click.option(
            "--compatibility-date",
            metavar="DATE",
            help="The platform's behaviour on that day.  [default: the newest that the lab knows]",
        ),
        click.option(
            "--compatibility-flag",
            "compatibility_flags",
            multiple=True,
            metavar="FLAG",
            help="Such as nodejs_compat; may be repeated.",
        ),
    ]
)


def bindings_from(options: dict[str, Any], folder: Path) -> Bindings:
    """A worker's bindings from parsed options; files are looked for in ``folder``.

    Raises:
        UsageError: an option's text cannot be read, or a file of it.
    """
    import json

    from wasm_lab.scenarios.edge.worker import Bindings

    def pairs(kind: str) -> list[tuple[str, str]]:
        words = [word.partition("=") for word in options[f"{kind}s".replace("-", "_")]]
        for name, equals, _ in words:
            if not name or not equals:
                raise UsageError(
                    f"--{kind} takes NAME=…, and {name!r} is none.", hint=f"Such as --{kind} NAME=…"
                )
        return [(name, value) for name, _, value in words]

    def bytes_of(file: str) -> bytes:
        return file_of_stdin(str(folder / Path(file).expanduser()))

    def value_of(name: str, written: str) -> Any:
        try:
            return json.loads(bytes_of(written[1:]) if written.startswith("@") else written)
        except ValueError as error:
            raise UsageError(f"--json-var {name}: that is no JSON: {error}.") from None

    def text_of(name: str, file: str) -> str:
        try:
            return bytes_of(file).decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"--text {name}: {file} is not UTF-8 text (byte {error.start}).", hint="Give it with --data."
            ) from None

    return Bindings(
        texts={**dict(pairs("var")), **{name: text_of(name, file) for name, file in pairs("text")}},
        secrets=dict(pairs("secret")),
        json={name: value_of(name, written) for name, written in pairs("json-var")},
        data={name: bytes_of(file) for name, file in pairs("data")},
        kv=tuple(options["kv"]),
    )


def worker_settings(options: dict[str, Any]) -> dict[str, Any]:
    """The settings of `scenarios.edge.Worker.of` that options name; what is not named has its default."""
    names = ("allowed_hosts", "compatibility_date", "compatibility_flags")
    return {name: options[name] for name in names if options[name]}
