"""The command `lk`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Runs it with the process's arguments; returns the exit code."""
    # Ctrl-C is for the command, which ends its programs first; Python's own
    # handler would only note it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from lk._lk import command

    return command(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
