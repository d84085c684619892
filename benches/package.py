"""lk's Python package beside mcap with mcap-ros2-support, and Python loops.

    pip install ./python mcap mcap-ros2-support
    python benches/package.py [MESSAGES_WRITTEN [MESSAGES_READ]]
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import lk

N = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
C = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000


@dataclass
class Pose:
    x: float
    y: float
    z: float
    frame: str


def clock(what, work, best=1):
    times = []
    for _ in range(best):
        start = time.perf_counter()
        out = work()
        times.append(time.perf_counter() - start)
    print(f"{what:58} {min(times):9.3f} s", flush=True)
    return min(times), out


folder = Path(tempfile.mkdtemp())
values = [Pose(n * 0.5, 1.0, -n, "map") for n in range(N)]


def write_lk():
    with lk.Dataset.create("mcap", folder / "a.mcap", overwrite=True) as ds:
        for n, v in enumerate(values):
            ds.write("pose", v, timestamp_ns=n)


def write_peer():
    from mcap_ros2.writer import Writer

    with (folder / "b.mcap").open("wb") as f:
        w = Writer(f)
        s = w.register_msgdef(
            "lk/msg/Pose", "float64 x\nfloat64 y\nfloat64 z\nstring frame\n"
        )
        for n, v in enumerate(values):
            w.write_message("pose", s, v, log_time=n, publish_time=n)
        w.finish()


a, _ = clock(f"write {N} dataclasses, lk", write_lk, 3)
b, _ = clock(f"write {N} dataclasses, mcap + mcap-ros2-support", write_peer)
print(f"  {b / a:.1f} times")
with lk.Dataset.create("mcap", folder / "c.mcap") as ds:
    for n in range(C):
        ds.write("x", float(n), timestamp_ns=n)
with lk.Dataset.create("mcap", folder / "d.mcap") as ds:
    for n in range(C):
        ds.write("x", float(n) + 1e-9, timestamp_ns=n)
a, col = clock(
    f"read a column of {C} float64, lk",
    lambda: lk.Dataset.load(folder / "c.mcap")["x"].column(),
    3,
)


def read_peer():
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    with (folder / "c.mcap").open("rb") as f:
        return [
            m.data
            for *_, m in make_reader(
                f, decoder_factories=[DecoderFactory()]
            ).iter_decoded_messages()
        ]


b, peer = clock("  message by message, mcap + mcap-ros2-support", read_peer)
assert peer == col.tolist()
print(f"  {b / a:.1f} times")
a, r = clock(
    f"diffdiff of two files of {C} messages, lk",
    lambda: lk.diffdiff(
        lk.Dataset.load(folder / "c.mcap"), lk.Dataset.load(folder / "d.mcap")
    ),
    3,
)
assert r.verdict == "equal"


def loop_peer():
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    worst = 0.0
    with (folder / "c.mcap").open("rb") as f, (folder / "d.mcap").open("rb") as g:
        ra = make_reader(f, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
        rb = make_reader(g, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
        for (*_, ma, va), (*_, mb, vb) in zip(ra, rb):
            if abs(ma.log_time - mb.log_time) > 1_000_000:
                raise SystemExit("time")
            worst = max(worst, abs(va.data - vb.data))
    return worst <= 1e-6


b, ok = clock("  the same in a Python loop over mcap-ros2-support", loop_peer)
print(f"  {b / a:.1f} times")
m1, m2 = lk.Dataset.create(), lk.Dataset.create()
for n in range(C):
    m1.write("x", float(n), timestamp_ns=n)
    m2.write("x", float(n) + 1e-9, timestamp_ns=n)
a, r = clock(
    f"diffdiff of two datasets in memory of {C} values, lk", lambda: lk.diffdiff(m1, m2)
)


def loop_memory():
    xs, ys = m1.read("x"), m2.read("x")
    return all(abs(x - y) <= 1e-6 for x, y in zip(xs, ys)) and all(
        abs(s - t) <= 1e-3 for s, t in zip(m1.get_timestamps("x"), m2.get_timestamps("x"))
    )


b, _ = clock("  a Python loop over the values", loop_memory)
print(f"  {b / a:.2f} times")


def call_times(record):
    times = []
    for n, v in enumerate(values):
        start = time.perf_counter_ns()
        record("pose", v, n * 1e-3)
        times.append(time.perf_counter_ns() - start)
    return times


def late(what, ns):
    ns = sorted(ns)
    print(
        f"{what:58} p50 {ns[len(ns) // 2] / 1e3:.1f}, p99 {ns[len(ns) * 99 // 100] / 1e3:.1f}, max {ns[-1] / 1e3:.0f} us",
        flush=True,
    )


with (
    lk.Dataset.create("mcap", folder / "e.mcap", live=True) as ds,
    lk.DataRecorder(ds) as recorder,
):
    late(f"record one of {N} dataclasses to a file, lk", call_times(recorder.record))
with lk.Dataset.create("mcap", folder / "f.mcap", live=True) as ds:
    late("  Dataset.write, at the call", call_times(ds.write))
for hz in (1000, 100):
    path = folder / f"{hz}.mcap"
    with lk.Dataset.create("mcap", path) as ds:
        for n in range(3 * hz):
            ds.write("pose", values[n % N], timestamp_ns=n * 10**9 // hz)
    report = lk.DataPlayback(lk.Dataset.load(path)).play_realtime()
    print(
        f"{f'play at {hz} Hz, lk, lateness':58} p50 {report.lateness_p50 * 1e6:.1f}, p99 {report.lateness_p99 * 1e6:.1f}, max {report.lateness_max * 1e6:.0f} us",
        flush=True,
    )
    lateness, begin = [], time.monotonic_ns()
    for n in range(3 * hz):
        due = begin + n * 10**9 // hz
        time.sleep(max(due - time.monotonic_ns(), 0) / 1e9)
        lateness.append(time.monotonic_ns() - due)
    late("  time.sleep to absolute deadlines, nothing read", lateness)
import shutil

shutil.rmtree(folder)
