"""Broken recordings, and who lets them pass: lk beside what tables are compared with.

    pip install ./python -r benches/requirements.txt
    python benches/silent.py

One recording of 200 messages, broken in one way at a time. Each tool compares it with the
original as its documentation shows, at an absolute and relative tolerance of 1e-6. What is
counted is a pass of what is broken; an error of any kind is a catch. First all of them see
an unbroken copy, and one with noise below the tolerance, which all have to pass.
"""

import copy
from collections.abc import Callable
from dataclasses import make_dataclass

import numpy as np
import pandas as pd
import polars as pl
import xarray as xr
from polars.testing import assert_frame_equal

import lk

TOLERANCE = 1e-6
MESSAGES = 200

#: Keys, each with its times in nanoseconds under "t" and its fields.
Recording = dict[str, dict[str, np.ndarray]]


def original() -> Recording:
    n = np.arange(MESSAGES)
    return {
        "state": {
            "t": n * 10_000_000,
            "x": np.sin(n / 10.0) + 2.0,
            "f": (n / 7.0).astype(np.float32),
            "count": n + 2**53,
            "large": np.full(MESSAGES, 2**60),
            "byte": (255 - n).astype(np.uint8),
            "flag": n % 2 == 0,
        },
        "command": {"t": n * 10_000_000, "u": np.cos(n / 10.0)},
    }


Change = Callable[[Recording], object]


def put(key: str, field: str, index: int, value: object) -> Change:
    def change(recording: Recording) -> None:
        recording[key][field][index] = value

    return change


def take(key: str, chosen: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Takes messages by their numbers."""

    def change(recording: Recording) -> None:
        numbers = chosen(np.arange(MESSAGES))
        recording[key] = {name: column[numbers] for name, column in recording[key].items()}

    return change


def rename(key: str, before: str, after: str) -> Change:
    def change(recording: Recording) -> None:
        names = {before: after}
        recording[key] = {names.get(name, name): c for name, c in recording[key].items()}

    return change


def cast(key: str, field: str, dtype: str) -> Change:
    def change(recording: Recording) -> None:
        recording[key][field] = recording[key][field].astype(dtype)

    return change


def nudge(key: str, by_ns: int) -> Change:
    def change(recording: Recording) -> None:
        recording[key]["t"] = recording[key]["t"] + by_ns

    return change


def empty(recording: Recording) -> None:
    for key in recording:
        take(key, lambda n: n[:0])(recording)


def exchange(recording: Recording) -> None:
    # Values of two messages, not their times.
    for name, column in recording["state"].items():
        if name != "t":
            column[[7, 8]] = column[[8, 7]]


def noise(recording: Recording) -> None:
    recording["state"]["x"] += 1e-7


BROKEN: dict[str, Change] = {
    "a value beyond the tolerance": put("state", "x", 100, 2.5),
    "a NaN": put("state", "x", 100, np.nan),
    "an infinity": put("command", "u", 100, np.inf),
    "the sign of a value": put("command", "u", 100, -np.cos(10.0)),
    "2^53 + 101 for 2^53 + 100": put("state", "count", 100, 2**53 + 101),
    "2^60 + 100 for 2^60": put("state", "large", 100, 2**60 + 100),
    "a byte that wrapped: 0 for 255": put("state", "byte", 0, 0),
    "a bool": put("state", "flag", 100, False),
    "the last message missing": take("state", lambda n: n[:-1]),
    "90 % of the messages missing": take("state", lambda n: n[:20]),
    "all messages but one missing": take("state", lambda n: n[:1]),
    "all messages of all keys missing": empty,
    "a message twice": take("state", lambda n: np.insert(n, 50, 50)),
    "two messages in each other's place": exchange,
    "all of it 5 ms late": nudge("state", 5_000_000),
    "float64 as float32": cast("state", "x", "float32"),
    "int64 as float64": cast("state", "count", "float64"),
    "a field missing": lambda r: r["state"].pop("f"),
    "a field too many": lambda r: r["state"].update(extra=np.zeros(MESSAGES)),
    "a field with another name": rename("state", "f", "g"),
    "a key missing": lambda r: r.pop("command"),
    "a key too many": lambda r: r.update(extra=copy.deepcopy(r["command"])),
}


def by_lk(a: Recording, b: Recording) -> None:
    sides = []
    for recording in (a, b):
        dataset = lk.Dataset.create("memory")
        for key, columns in recording.items():
            names = [name for name in columns if name != "t"]
            message = make_dataclass("Message", [(n, columns[n].dtype.type) for n in names])
            for index, time in enumerate(columns["t"]):
                values = [columns[name][index] for name in names]
                dataset.write(key, message(*values), timestamp_ns=int(time))
        sides.append(dataset)
    lk.assert_datasets_equal(*sides, tol=TOLERANCE)


def by_numpy(a: Recording, b: Recording) -> None:
    for key, columns in a.items():
        for name, column in columns.items():
            np.testing.assert_allclose(b[key][name], column, rtol=TOLERANCE, atol=TOLERANCE)


def by_pandas(a: Recording, b: Recording) -> None:
    frames = [{key: pd.DataFrame(c).set_index("t") for key, c in r.items()} for r in (a, b)]
    for key, frame in frames[0].items():
        other = frames[1][key]
        pd.testing.assert_frame_equal(frame, other, rtol=TOLERANCE, atol=TOLERANCE)


def by_polars(a: Recording, b: Recording) -> None:
    for key, columns in a.items():
        sides = pl.DataFrame(columns), pl.DataFrame(b[key])
        assert_frame_equal(*sides, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def by_xarray(a: Recording, b: Recording) -> None:
    for key, columns in a.items():
        sides = [
            xr.Dataset(
                {name: ("t", column) for name, column in c.items() if name != "t"},
                coords={"t": c["t"]},
            )
            for c in (columns, b[key])
        ]
        xr.testing.assert_allclose(*sides, rtol=TOLERANCE, atol=TOLERANCE)


#: Where the original is broken in the same way: there is nothing to compare.
BOTH: dict[str, Change] = {
    "no messages on either side": empty,
    "no keys on either side": lambda r: r.clear(),
}

TOOLS: dict[str, Callable[[Recording, Recording], None]] = {
    "lk": by_lk,
    "NumPy": by_numpy,
    "pandas": by_pandas,
    "polars": by_polars,
    "xarray": by_xarray,
}


def passes(tool: str, change: Change, both: bool = False) -> bool:
    reference, broken = original(), original()
    change(broken)
    if both:
        change(reference)
    try:
        TOOLS[tool](reference, broken)
    except Exception:  # Whatever it says, it doesn't pass in silence.
        return False
    return True


def main() -> None:
    for tool in TOOLS:
        for what, change in {"a copy": lambda _: None, "noise": noise}.items():
            assert passes(tool, change), f"{tool} doesn't pass {what}"
    print(f"| broken | {' | '.join(TOOLS)} |")
    print(f"| --- |{' --- |' * len(TOOLS)}")
    silent = dict.fromkeys(TOOLS, 0)
    for what, change in (BROKEN | BOTH).items():
        found = {tool: passes(tool, change, what in BOTH) for tool in TOOLS}
        for tool, passed in found.items():
            silent[tool] += passed
        if any(found.values()):
            cells = ("passes" if passed else "" for passed in found.values())
            print(f"| {what} | {' | '.join(cells)} |")
    total = len(BROKEN) + len(BOTH)
    counts = " | ".join(f"{count} of {total}" for count in silent.values())
    print(f"| **pass in silence** | {counts} |")


if __name__ == "__main__":
    main()
