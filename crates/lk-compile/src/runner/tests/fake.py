"""Speaks lk-run/1 by hand, well or badly: the second half of the runner's tests.

The component adds up its input: port 0 in is {float64 x}, port 0 out is
{float64 sum}, port 1 (state) is {uint64 count}. The first argument says how to
behave, the second at which tick, the third where to write the process number.
"""

import os
import signal
import struct
import sys
import time

INPUT, STEP, RESET, BYE = 2, 3, 4, 5
READY, OUTPUT, DONE, ERROR = 129, 130, 131, 132
NO_TICK = 2**64 - 1

behaviour = sys.argv[1]
at = int(sys.argv[2]) if len(sys.argv) > 2 else 3
out = bytearray()


def flush():
    data = bytes(out)
    out.clear()
    while data:
        data = data[os.write(1, data):]


def frame(kind, body=b""):
    out.extend(struct.pack("<IB", len(body) + 1, kind) + body)


def read_exactly(count):
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            return None
        data += piece
    return data


class Input:
    """Buffered, so that answers leave in batches as a real harness sends them."""

    def __init__(self):
        self.data = b""

    def take(self, count):
        while len(self.data) < count:
            flush()
            piece = os.read(0, 1 << 16)
            if not piece:
                return None
            self.data += piece
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def frame(self):
        head = self.take(5)
        if head is None:
            return None, b""
        length, kind = struct.unpack("<IB", head)
        return kind, self.take(length - 1)


def output(port, time_ns, payload):
    frame(OUTPUT, struct.pack("<Hq", port, time_ns) + payload)


def done(tick):
    frame(DONE, struct.pack("<QQ", tick, 1000 + tick))


def cdr(fmt, *values):
    return b"\0\1\0\0" + struct.pack("<" + fmt, *values)


def once():
    """True in the first run only: the folder remembers."""
    try:
        os.close(os.open("ran", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


print("log of", behaviour, file=sys.stderr, flush=True)
if len(sys.argv) > 3:
    with open(sys.argv[3], "w") as file:
        file.write(str(os.getpid()))
if behaviour == "dies-at-once":
    sys.exit(5)
if behaviour == "prints-at-once":
    os.write(1, b"Hello from the component\n")
if behaviour == "never-ready":
    time.sleep(60)

source = Input()
kind, hello = source.frame()
version, seed, count = struct.unpack_from("<HQH", hello)
ports = [struct.unpack_from("<BH16s", hello, 12 + 19 * i) for i in range(count)]
(config_length,) = struct.unpack_from("<I", hello, 12 + 19 * count)
config = hello[16 + 19 * count:]
assert len(config) == config_length
scale = struct.unpack("<d", config[4:])[0] if config else 1.0
assert [(d, i) for d, i, _ in ports] == [(0, 0), (1, 0), (2, 1)], ports

if behaviour == "stale":
    frame(ERROR, struct.pack("<Q", NO_TICK) + b"port 0 (x) has another type")
    flush()
    sys.exit(3)
if behaviour == "done-before-ready":
    done(0)
frame(READY, struct.pack("<H", 2 if behaviour == "speaks-2" else 1) + b"fake 1")

total, n, x, tick = seed * 1.0, 0, 0.0, None
while True:
    kind, body = source.frame()
    if kind is None or kind == BYE:
        break
    if kind == INPUT:
        port, time_ns, sequence = struct.unpack_from("<Hqq", body)
        (x,) = struct.unpack_from("<d", body, 18 + 4)
        continue
    if kind == RESET:
        total, n, x = seed * 1.0, 0, 0.0
        if behaviour == "dies-in-reset":
            sys.exit(6)
        if behaviour == "hangs-in-reset":
            time.sleep(60)
        frame(DONE, struct.pack("<QQ", NO_TICK, 0))
        continue
    tick, time_ns = struct.unpack("<Qq", body)
    n += 1
    total += scale * x
    here = tick == at
    if here:
        if behaviour == "segfault" or behaviour == "segfault-once" and once():
            os.kill(os.getpid(), signal.SIGSEGV)
        if behaviour == "exits":
            print("Traceback: it broke", file=sys.stderr, flush=True)
            os._exit(7)
        if behaviour == "leaves":
            os._exit(0)
        if behaviour == "hangs":
            time.sleep(60)
        if behaviour == "floods-log":
            while True:
                os.write(2, b"and on\n" * 500)
        if behaviour == "later":
            output(0, time_ns + 5, cdr("d", total))
        if behaviour == "two":
            output(0, time_ns, cdr("d", total))
        if behaviour == "closes":
            flush()
            os.close(1)
            time.sleep(60)
        if behaviour == "prints":
            out.extend(b"debug: x = 1\n")
        if behaviour == "prints-little":
            out.extend(b"ok\n")
        if behaviour == "garbage":
            out.extend(bytes(range(200, 240)))
        if behaviour == "half-a-frame":
            out.extend(struct.pack("<IBH", 17, DONE, tick))
            flush()
            sys.exit(0)
        if behaviour == "wrong-port":
            output(9, time_ns, cdr("d", total))
        if behaviour == "early":
            output(0, time_ns - 1, cdr("d", total))
        if behaviour == "back":
            output(0, time_ns + 5, cdr("d", total))
        if behaviour == "undecodable":
            output(0, time_ns, cdr("f", total))
        if behaviour == "huge-frame":
            out.extend(struct.pack("<IB", 2**31, OUTPUT))
        if behaviour == "short-frame":
            frame(OUTPUT, b"\0\0")
        if behaviour == "wrong-tick":
            done(tick + 1)
        if behaviour == "skips":
            continue
        if behaviour == "ready-again":
            frame(READY, struct.pack("<H", 1))
        if behaviour == "error-elsewhere":
            frame(ERROR, struct.pack("<Q", tick + 5) + b"no")
        if behaviour == "error-twice":
            frame(ERROR, struct.pack("<Q", tick) + b"one")
            frame(ERROR, struct.pack("<Q", tick) + b"two")
        if behaviour == "gives-up":
            frame(ERROR, struct.pack("<Q", NO_TICK) + b"out of ideas")
    if behaviour == "floods" and here:
        while True:
            output(0, time_ns, cdr("d", total))
            flush()
    if behaviour == "chatty":
        print("x" * 3000, file=sys.stderr, flush=True)
    if behaviour == "slow":
        time.sleep(0.02)
    raises = tick % 3 == 1 or behaviour == "raises-mostly" and tick % 3 == 2
    if behaviour.startswith("raises") and raises:
        text = f"tick {tick} is bad" if behaviour == "raises" else "other words"
        frame(ERROR, struct.pack("<Q", tick) + text.encode())
    else:
        drift = 0.25 if behaviour == "drifts" and tick >= at else 0.0
        output(0, time_ns, cdr("d", total + drift))
        output(1, time_ns, cdr("Q", n))
    done(tick)
    if here and behaviour == "twice":
        done(tick)

if behaviour == "after-bye":
    output(0, 10**18, cdr("d", total))
if behaviour == "hangs-after-bye":
    flush()
    time.sleep(60)
flush()
if behaviour == "fails-after-bye":
    sys.exit(9)
