"""For every test."""

from __future__ import annotations

import signal

# A shell ignores Ctrl-C in what it starts in the background, and every process below inherits that: tests
# that interrupt would then wait until their deadlines.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
