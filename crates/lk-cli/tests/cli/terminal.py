"""Runs a command in a terminal of its own, presses keys, and tells what became
of it as JSON: how it ended, what it wrote, and whether it left the terminal as
it was.

    terminal.py WAIT_FOR KEYS COMMAND...

Keys are pressed once the terminal shows WAIT_FOR.
"""

import json
import os
import pty
import select
import sys
import termios

wait_for, keys, command = sys.argv[1].encode(), sys.argv[2], sys.argv[3:]
keys = keys.encode().decode("unicode_escape").encode()
ours, its = pty.openpty()
before = termios.tcgetattr(its)
pid = os.fork()
if pid == 0:
    os.setsid()
    # Opened by a leader of a session, it is the session's terminal.
    name = os.ttyname(its)
    terminal = os.open(name, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(terminal, stream)
    os.closerange(3, 64)
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)

shown = b""
during = None
status = None
while status is None:
    ready, _, _ = select.select([ours], [], [], 0.05)
    if ready:
        shown += os.read(ours, 65536)
    if keys and wait_for in shown:
        during = termios.tcgetattr(its)
        os.write(ours, keys)
        keys = b""
    ended, code = os.waitpid(pid, os.WNOHANG)
    if ended:
        status = os.waitstatus_to_exitcode(code)
while select.select([ours], [], [], 0)[0]:
    shown += os.read(ours, 65536)
after = termios.tcgetattr(its)
print(
    json.dumps(
        {
            "code": status,
            "shown": shown.decode(errors="replace"),
            "changed": during is not None and during != before,
            "restored": after == before,
        }
    )
)
