"""A program that speaks lk-run/1 by hand, and misbehaves on request.

It answers each message of its one input port with twice the value. The first
argument says what it does instead, at the tick given by the second.
"""

import os
import struct
import sys
import time

mode = sys.argv[1] if len(sys.argv) > 1 else "good"
at = int(sys.argv[2]) if len(sys.argv) > 2 else 3
source, sink = sys.stdin.buffer, sys.stdout.buffer


def send(kind, body):
    sink.write(struct.pack("<IB", 1 + len(body), kind) + body)


def done(tick):
    send(131, struct.pack("<QQ", tick, 1000))


def output(now, value):
    send(130, struct.pack("<Hq", 0, now) + b"\x00\x01\x00\x00" + struct.pack("<d", value))


value = 0.0
while True:
    sink.flush()
    head = source.read(4)
    if len(head) < 4:
        break
    frame = source.read(struct.unpack("<I", head)[0])
    kind, body = frame[0], frame[1:]
    if kind == 1:
        if mode == "mute":
            time.sleep(60)
        send(129, struct.pack("<H", 1) + b"python fake")
    elif kind == 2:
        value = struct.unpack("<d", body[22:30])[0]
    elif kind == 3:
        tick, now = struct.unpack("<Qq", body)
        here = tick == at
        if here and mode == "crash":
            sys.stderr.write("about to fall over\n")
            sys.stderr.flush()
            os.abort()
        if here and mode == "exit":
            sys.exit(7)
        if here and mode == "hang":
            with open("hanging", "w") as file:
                file.write(f"{os.getpid()}\n")
            time.sleep(60)
        if here and mode == "print":
            sink.write(b"value is now 3.0\n")
        if here and mode == "garbage":
            send(99, b"")
        if here and mode == "port":
            send(130, struct.pack("<Hq", 5, now) + b"\x00\x01\x00\x00" + struct.pack("<d", value))
        if here and mode == "payload":
            send(130, struct.pack("<Hq", 0, now) + b"\x00\x01\x00\x00" + b"abc")
        elif here and mode == "error":
            send(132, struct.pack("<Q", tick) + b"ValueError: no good")
        elif here and mode == "wrong":
            output(now, 2.0 * value + 1e-4)
        elif not (here and mode == "little"):
            output(now, 2.0 * value)
        if here and mode == "much":
            output(now, 2.0 * value)
        if not (here and mode == "undone"):
            done(tick)
        if here and mode == "twice":
            done(tick)
    elif kind == 4:
        value = 0.0
        done(2**64 - 1)
    elif kind == 5:
        break
sink.flush()
