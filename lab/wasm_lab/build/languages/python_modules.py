"""The modules of the Python that componentize-py 0.25.1 puts into a component (CPython 3.14.0).

Found by importing each name of its ``sys.stdlib_module_names`` in a component: what cannot be had is told by
the text alone, and not by a run of the tool. Names with an underscore before them are left to the tool.
"""

from __future__ import annotations

#: Packages of the bindings, which are always there.
BINDINGS = ("wit_world", "componentize_py_types", "componentize_py_runtime", "poll_loop")

#: Top-level modules of the standard library that a component has.
STANDARD = frozenset(
    (
        "abc annotationlib antigravity argparse array ast asyncio atexit base64 bdb binascii bisect builtins "
        "cProfile calendar cmath cmd code codecs codeop collections colorsys compileall compression "
        "concurrent configparser contextlib contextvars copy copyreg csv dataclasses datetime dbm decimal "
        "difflib dis doctest email encodings ensurepip enum errno faulthandler filecmp fileinput fnmatch "
        "fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib gzip hashlib heapq "
        "hmac html http idlelib imaplib importlib inspect io ipaddress itertools json keyword linecache locale "
        "logging mailbox marshal math mimetypes modulefinder multiprocessing netrc ntpath nturl2path numbers "
        "opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix "
        "posixpath pprint profile pstats py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re "
        "reprlib rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtplib "
        "socket socketserver sqlite3 sre_compile sre_constants sre_parse stat statistics string stringprep "
        "struct subprocess symtable sys sysconfig tabnanny tarfile tempfile textwrap this threading time "
        "timeit token tokenize tomllib trace traceback tracemalloc turtledemo types typing unicodedata unittest urllib "
        "uuid venv warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo"
    ).split()
)

#: Those that it lacks: they need the system's own libraries, a terminal, or a window.
ABSENT = frozenset(
    (
        "bz2 ctypes curses fcntl grp lzma mmap msvcrt nt pty pwd readline resource ssl syslog termios "
        "tkinter tty turtle winreg winsound"
    ).split()
)


def has_module(name: str, own: tuple[str, ...] = ()) -> bool:
    """Whether a component of Python may have a module.

    Args:
        name: as it is imported, with dots.
        own: modules that this component has beside.

    Example:
        >>> has_module("urllib.parse"), has_module("numpy"), has_module("ssl")
        (True, False, False)
    """
    root = name.partition(".")[0]
    return root.startswith(("_", "componentize_py")) or root in STANDARD or root in BINDINGS or root in own
