"""Prepare this folder: the virtual environment .venv, the packages in it, a Rust toolchain.

    python3 scripts/setup.py

Run by `make setup`, and by every target that needs it; the second time it takes a fraction
of a second and no network. It takes the standard library alone, and is written so that an
old Python can still read it and say what is missing.

  .venv            Python packages, in the versions and with the checksums of constraints.txt
  .venv/setup.log  what pip and uv said
  outside          a Rust toolchain, only if none here builds for WebAssembly; the line that
                   announces it says where (WASM_LAB_TOOLCHAIN names another folder)
"""

from __future__ import print_function

import hashlib
import json
import os
import subprocess
import sys
import time

OLDEST = (3, 11)
NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOG = os.path.join(VENV, "setup.log")
STAMP = os.path.join(VENV, "setup.json")
CONSTRAINTS = os.path.join(ROOT, "constraints.txt")
PYTHON = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")

# Packages of constraints.txt that the lab can do without, because they have no files for some systems
# on which the rest works. What is lost without each.
OPTIONAL = {
    "wasmer-sdk": "the runtime wasmer (its wheels need glibc 2.35 on x86-64, 2.34 on ARM64, or macOS)",
}

# What installs all others, in a third of the time that pip takes.
UV = "uv"

# Lines of pip and uv that tell how far they are.
SHOWN = ("Collecting ", "Installing ", "Downloading ", "Prepared ", " + ")

# Settings of pip that say where packages come from. uv knows none of them, so pip then does all of it.
SOURCES = ("cert", "client-cert", "extra-index-url", "index-url", "no-index", "proxy", "trusted-host")

# What a Python is asked before it is chosen. ensurepip is what Debian leaves out.
QUESTION = "import sys, venv, ensurepip; ensurepip.version(); print('%d.%d' % sys.version_info[:2])"

# Settings of the caller that would make pip put packages elsewhere than into .venv, or
# Python find modules that are not there.
DROPPED = (
    "PIP_CONSTRAINT",
    "PIP_NO_DEPS",
    "PIP_PREFIX",
    "PIP_REQUIREMENT",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)


class SetupError(Exception):
    """Setup cannot go on; the message says why and what to do."""


def main():
    start = time.time()
    if not _suitable(sys.executable)[0]:
        return _start_again()
    with _Lock(os.path.join(ROOT, ".setup.lock")):
        key = _key()
        if _stamp() == key and _answers([PYTHON, "-c", "import pip, wasm_lab, pytest"]):
            fresh = False
        else:
            fresh = True
            if os.path.exists(STAMP):
                os.remove(STAMP)
            _make_environment(key)
            _install_packages()
            with open(STAMP + ".new", "w") as file:
                json.dump(key, file)
            os.replace(STAMP + ".new", STAMP)
        _find_rust()
    if fresh:
        _say("Ready in %.0f s. Next: make quickstart, make test, make lab." % (time.time() - start))
    return 0


def _start_again():
    """Run this script with a Python that will do."""
    for name in NAMES:
        for path in _programs(name):
            if _suitable(path)[0]:
                return subprocess.call([path, os.path.abspath(__file__)] + sys.argv[1:])
    tried = {}
    for path in [sys.executable] + [path for name in NAMES for path in _programs(name)]:
        tried.setdefault(os.path.realpath(path), (path, _suitable(path)[1]))
    raise SetupError(
        "wasm-lab needs Python %d.%d or later, with its modules venv and ensurepip. Found here:\n" % OLDEST
        + "".join("  %s: %s\n" % found for found in tried.values())
        + "To get what is missing:\n"
        "  Debian, Ubuntu:  sudo apt install python3-venv   (before Debian 12 and Ubuntu 24.04:\n"
        "                   python3.11 and python3.11-venv, where there are such packages)\n"
        "  Fedora:          sudo dnf install python3\n"
        "  macOS:           brew install python\n"
        "  Windows:         winget install Python.Python.3.13"
    )


def _suitable(python):
    """Whether a Python can make the environment, and what it has or lacks."""
    try:
        done = subprocess.Popen(
            [python, "-c", QUESTION], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
        )
        out, error = done.communicate()
    except OSError as failure:
        return False, "does not start (%s)" % failure
    words = out.decode("utf-8", "replace").split()
    if done.returncode != 0 or not words:
        lines = [line for line in error.decode("utf-8", "replace").splitlines() if line.strip()]
        why = lines[-1].strip() if lines else "ended with status %d" % done.returncode
        if "ensurepip" in why or "venv" in why:
            asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            version = subprocess.check_output(asked, env=_environment()).decode().strip()
            if tuple(map(int, version.split("."))) >= OLDEST:
                why = "%s without its module %s: sudo apt install python%s-venv" % (
                    version,
                    "ensurepip" if "ensurepip" in why else "venv",
                    version,
                )
            else:
                why = "%s, which is too old" % version
        return False, why
    if tuple(map(int, words[0].split("."))) < OLDEST:
        return False, "%s, which is too old" % words[0]
    return True, words[0]


def _programs(name):
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name + (".exe" if os.name == "nt" else ""))
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            yield path


def _key():
    """All that decides what .venv contains."""
    digest = hashlib.sha256()
    for name in (
        "constraints.txt",
        "pyproject.toml",
        "lab/wasm_lab/_version.py",
        "lab/labextension/package.json",
        "lab/labextension/static/remoteEntry.js",
        "scripts/setup.py",
    ):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    # The folder is part of it because the programs in a virtual environment name it.
    return {"files": digest.hexdigest(), "folder": ROOT}


def _stamp():
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def _make_environment(key):
    made = os.path.join(VENV, "setup-folder")
    kept = False
    if os.path.exists(made):
        with open(made) as file:
            moved = file.read() != key["folder"]
        asked = "import sys, pip; sys.exit(sys.version_info < (%d, %d))" % OLDEST
        kept = not moved and _answers([PYTHON, "-c", asked])
    if kept:
        return
    _say("Making %s with Python %s (%s)" % (VENV, sys.version.split()[0], sys.executable))
    done = subprocess.Popen(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
    )
    said = done.communicate()[0].decode("utf-8", "replace")
    if done.returncode != 0:
        raise SetupError("Python could not make the virtual environment %s:\n%s" % (VENV, said.strip()))
    with open(made, "w") as file:
        file.write(key["folder"])


def _install_packages():
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    with open(CONSTRAINTS) as file:
        constraints = file.read()
    needed, optional = _parted(constraints, OPTIONAL)
    uv = _parted(constraints, (UV,))[1].get(UV)
    total = sum(1 for line in needed.splitlines() if "==" in line and not line.startswith("#"))
    open(LOG, "w").close()
    _say("Installing up to %d Python packages into .venv (0.5 GB; a minute or two)" % total)
    install = pip + ["install", "--require-hashes", "--progress-bar", "off", "-r"]
    required = _written("required.txt", needed)
    if not (uv and _sources_are_plain(pip) and _installed_by_uv(install, uv, required, total)):
        _logged(install + [required], total)
    for name in sorted(optional):
        _install_optional(install, name, optional[name])
    _say("Installing wasm-lab itself, as an editable package")
    _logged(pip + ["install", "--no-deps", "--no-build-isolation", "--no-index", "-e", ROOT], 0)
    # As pip does for what it installs; otherwise an environment with PYTHONDONTWRITEBYTECODE
    # would compile the lab's own modules at every start.
    _logged([PYTHON, "-m", "compileall", "-q", os.path.join(ROOT, "lab")], 0)
    if subprocess.call([PYTHON, "-c", PLACE_PLOTLY], env=_environment(), cwd=ROOT) != 0:
        raise SetupError(
            "The bundle of plotly.js could not be put beside JupyterLab's extensions (see above)."
        )


def _sources_are_plain(pip):
    """Whether packages come from where they come from without settings."""
    try:
        said = subprocess.check_output(pip + ["config", "list"], env=_environment(), cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return False
    names = {line.split("=")[0].rpartition(".")[2] for line in said.decode("utf-8", "replace").splitlines()}
    if "SSL_CERT_FILE" in os.environ:  # which uv knows
        names.discard("cert")
    return not names.intersection(SOURCES)


def _installed_by_uv(install, uv, required, total):
    """Install with uv, which fetches and compiles side by side; whether that went well."""
    try:
        _logged(install + [_written("uv.txt", uv)], 0)
        command = [os.path.join(os.path.dirname(PYTHON), UV), "pip", "install", "--python", PYTHON]
        _logged(command + ["--require-hashes", "--compile-bytecode", "-r", required], total)
    except SetupError:
        return False  # pip tries the same, and what it says is said
    return True


# Run inside .venv. pip has put the extension there; live charts load plotly.js from its folder, once for
# each page. Elsewhere, where only the wheel is installed, the kernel sends it.
PLACE_PLOTLY = """
import os, shutil, sys
import plotly
found = os.path.join(os.path.dirname(plotly.__file__), "package_data", "plotly.min.js")
folder = os.path.join(sys.prefix, "share", "jupyter", "labextensions", "wasm-lab", "static")
os.makedirs(folder, exist_ok=True)
shutil.copyfile(found, os.path.join(folder, "plotly.min.js.new"))
os.replace(os.path.join(folder, "plotly.min.js.new"), os.path.join(folder, "plotly.min.js"))
"""


def _parted(constraints, names):
    """The text of constraints.txt without some packages, and the text for each of those."""
    needed, apart, name = [], {}, None
    for line in constraints.splitlines(True):
        if not line.startswith((" ", "\t")):  # what is indented belongs to the package before it
            name = line.split("==")[0].strip() if "==" in line and not line.startswith("#") else None
        if name in names:
            apart[name] = apart.get(name, "") + line
        else:
            needed.append(line)
    return "".join(needed), apart


def _written(name, text):
    path = os.path.join(VENV, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def _install_optional(install, name, requirement):
    """Install a package if it has a file for this system; say what is lost otherwise."""
    try:
        _logged(install + [_written("optional.txt", requirement), "--only-binary", ":all:"], 0)
    except SetupError as failure:
        if "No matching distribution" not in str(failure):
            raise
        _say(
            "There is no file of %s for this system, so that this is not available: %s"
            % (name, OPTIONAL[name])
        )


def _logged(command, total):
    """Run a command with its words in a log, and a counter on the terminal."""
    count = 0
    with open(LOG, "a") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            env=_environment(),
            cwd=ROOT,
        )
        try:
            for line in process.stdout:
                log.write(line)
                count += line.startswith(("Collecting ", " + "))
                if total and sys.stdout.isatty() and line.startswith(SHOWN):
                    shown = "  %3d  %s" % (count, line.strip())
                    print("\r" + shown[:78].ljust(78), end="", flush=True)
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            process.stdout.close()
            if total and sys.stdout.isatty():
                print("\r" + " " * 78 + "\r", end="", flush=True)
    if status == 0:
        return
    with open(LOG) as log:
        last = [line.rstrip() for line in log if line.strip()][-12:]
    raise SetupError(
        "pip could not install the packages (the whole of what it said: %s):\n  %s\n"
        "Without a network the first setup is not possible; a proxy or mirror is set for pip as usual\n"
        "(PIP_PROXY, PIP_INDEX_URL, pip.conf). Running the same command again goes on from here."
        % (LOG, "\n  ".join(last))
    )


# Run inside .venv. A remembered answer takes no time; an installation says what it does.
FIND_RUST = """
import sys
from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains.host_linker import ensure_host_linker
from wasm_lab.toolchains.install import ensure_rust
say = lambda line: print(line, flush=True)
try:
    rust = ensure_rust(progress=say)
except ToolchainError as error:
    sys.exit(str(error))
try:
    ensure_host_linker(rust, progress=say)
except ToolchainError as error:
    say("Crates with procedural macros or build scripts will not build. " + str(error))
"""


def _find_rust():
    if subprocess.call([PYTHON, "-c", FIND_RUST], env=_environment(), cwd=ROOT) != 0:
        raise SetupError(
            "The Python packages are in place, but there is no Rust compiler for WebAssembly (see above)."
        )


def _answers(command):
    with open(os.devnull, "w") as nowhere:
        try:
            return subprocess.call(command, stdout=nowhere, stderr=nowhere, env=_environment(), cwd=ROOT) == 0
        except OSError:
            return False


def _environment():
    return {name: value for name, value in os.environ.items() if name not in DROPPED}


def _say(line):
    print(line)
    sys.stdout.flush()


class _Lock(object):
    """One setup of this folder at a time; the system gives the lock back if this process dies."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "a")
        try:
            import fcntl
        except ImportError:  # Windows: two setups at once are the caller's risk
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _say("Another setup of this folder is running; waiting for it")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        self.file.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SetupError as failure:
        print("\nsetup: %s" % failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nsetup: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
