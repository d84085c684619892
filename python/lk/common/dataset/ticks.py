"""A dataset's samples in the order in which they are played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Ticks", "by_row", "by_time"]


@dataclass(frozen=True)
class Ticks:
    """Samples that come together, tick by tick.

    ``times`` (n,) are in nanoseconds and never decrease. Tick i is the samples
    ``starts[i]`` to ``starts[i + 1]`` of ``keys`` (numbers of keys) and ``indexes``
    (places in the key).
    """

    times: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    indexes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """The times in seconds."""
        return self.times / 1e9

    def samples(self, tick: int) -> list[tuple[int, int]]:
        """The samples of a tick: the number of the key and the place in it."""
        part = slice(self.starts[tick], self.starts[tick + 1])
        return list(zip(self.keys[part].tolist(), self.indexes[part].tolist(), strict=True))

    def between(self, first: float, until: float | None) -> Ticks:
        """The ticks from a time in seconds on and before another."""
        a = int(np.searchsorted(self.seconds, first, "left"))
        b = len(self) if until is None else int(np.searchsorted(self.seconds, until, "left"))
        return Ticks(self.times[a : max(a, b)], self.starts[a : max(a, b) + 1], self.keys, self.indexes)


def by_time(times: Sequence[npt.ArrayLike]) -> Ticks:
    """Each tick is the samples of one time, of all keys.

    Where a key has several samples of one time they come in as many ticks, in their
    order, so that none hides another.
    """
    columns = [np.asarray(column, dtype=np.int64) for column in times]
    if not columns:
        return _ticks(np.zeros(0, dtype=np.int64), np.zeros((0, 3), dtype=np.int64))
    rows = []
    for number, column in enumerate(columns):
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        # How many samples of the same time came before it in its key.
        first = np.searchsorted(ordered, ordered, "left")
        nth = np.arange(len(column)) - first
        rows.append(np.column_stack([nth, np.full(len(column), number), order]))
    flat = np.concatenate(rows)
    at = np.concatenate([np.sort(column, kind="stable") for column in columns])
    order = np.lexsort((flat[:, 1], flat[:, 0], at))
    return _ticks(at[order], flat[order])


def by_row(times: Sequence[npt.ArrayLike]) -> Ticks:
    """Tick n is the n-th sample of each key, at the earliest of their times."""
    columns = [np.asarray(column, dtype=np.int64) for column in times]
    rows = [
        np.column_stack([np.arange(len(c)), np.full(len(c), number), np.arange(len(c))])
        for number, c in enumerate(columns)
    ]
    flat = np.concatenate(rows) if rows else np.zeros((0, 3), dtype=np.int64)
    flat = flat[np.lexsort((flat[:, 1], flat[:, 0]))]
    longest = max((len(c) for c in columns), default=0)
    earliest = np.full(longest, np.iinfo(np.int64).max)
    for column in columns:
        np.minimum(earliest[: len(column)], column, out=earliest[: len(column)])
    # Rows follow one another even where the times of their samples don't.
    row_times = np.maximum.accumulate(earliest) if longest else earliest
    return _ticks(row_times[flat[:, 0]] if len(flat) else np.zeros(0, dtype=np.int64), flat)


def _ticks(at: npt.NDArray[np.int64], rows: npt.NDArray[Any]) -> Ticks:
    """Ticks of sorted samples, with columns: number in tick order, key, index."""
    changes = (np.diff(at) != 0) | (np.diff(rows[:, 0]) != 0)
    firsts = np.concatenate([[0], np.flatnonzero(changes) + 1]) if len(at) else np.zeros(0, int)
    starts = np.concatenate([firsts, [len(at)]]).astype(np.int64)
    return Ticks(at[firsts.astype(np.int64)], starts, rows[:, 1], rows[:, 2])
