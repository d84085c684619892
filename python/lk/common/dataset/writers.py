"""What a recorder does with its values: writes them at the call, or behind a queue."""

from __future__ import annotations

import copy
import json
import operator
import os
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lk._lk import Recorder, to_ns
from lk.common.dataset.backends._file import FileBackend, KeyKinds

if TYPE_CHECKING:
    from lk.common.dataset.dataset import Dataset

__all__ = ["DirectWriter", "KeyCounts", "QueuedWriter", "Settings", "Writer"]


@dataclass(frozen=True)
class Settings:
    """A recorder's config, every one of its settings there; times are in seconds."""

    sample_every_n: int
    max_samples: int | None
    use_ring_buffer: bool
    ring_buffer_size: int
    auto_flush: bool
    flush_every_n: int
    flush_every: float
    overflow: str
    queue_bytes: int
    split_bytes: int | None
    split_after: float | None

    @property
    def splits(self) -> bool:
        """Whether it is to go on in new files."""
        return self.split_bytes is not None or self.split_after is not None


@dataclass
class KeyCounts:
    """What became of one key: ``offered = written + skipped + dropped + waiting``."""

    offered: int = 0
    written: int = 0
    skipped: int = 0
    dropped: int = 0
    waiting: int = 0
    #: Values per second of their own time; 0 for less than two.
    rate_hz: float = 0.0


class Writer(ABC):
    """Takes values by key and brings them into a dataset."""

    @abstractmethod
    def take(self, values: Mapping[str, Any], timestamp: float | None) -> dict[str, bool]:
        """Takes values of one time, that of now where it is None; which were taken."""

    @abstractmethod
    def trigger(self, after: float) -> int:
        """Writes what the rings hold, and what comes in the next seconds of recorded
        time; how many values the rings held."""

    @abstractmethod
    def flush(self) -> None:
        """Writes what the rings hold, and hands all of it to the operating system."""

    @abstractmethod
    def close(self) -> None:
        """Flushes, and takes nothing more."""

    @abstractmethod
    def counts(self) -> dict[str, KeyCounts]:
        """By key, in the order in which they came."""

    @abstractmethod
    def length(self) -> int:
        """Values in the dataset of its longest key, without those that wait."""


@dataclass
class _Key:
    counts: KeyCounts = field(default_factory=KeyCounts)
    sampled: int = 0
    first_time: float | None = None
    last_time: float | None = None
    ring: deque[tuple[Any, float]] = field(default_factory=deque)

    def rate_hz(self) -> float:
        if self.sampled < 2 or self.first_time is None or self.last_time is None:
            return 0.0
        span = self.last_time - self.first_time
        return (self.sampled - 1) / span if span > 0.0 else 0.0


class DirectWriter(Writer):
    """Writes at the call, to any dataset: objects stay objects.

    What the dataset raises comes through, and the value is counted as dropped.
    """

    def __init__(self, dataset: Dataset, settings: Settings) -> None:
        self.dataset = dataset
        self.settings = settings
        self._lock = threading.RLock()
        self._keys: dict[str, _Key] = {}
        self._unflushed = 0
        self._flushed_at = time.monotonic()
        self._open_until: float | None = None

    def take(self, values: Mapping[str, Any], timestamp: float | None) -> dict[str, bool]:
        with self._lock:
            at = time.time() if timestamp is None else timestamp
            return {key: self._take(key, value, at) for key, value in values.items()}

    def _take(self, key: str, value: Any, timestamp: float) -> bool:
        state = self._keys.setdefault(key, _Key())
        settings, counts = self.settings, state.counts
        counts.offered += 1
        if (counts.offered - 1) % settings.sample_every_n or (
            settings.max_samples is not None and state.sampled >= settings.max_samples
        ):
            counts.skipped += 1
            return False
        state.sampled += 1
        if state.first_time is None:
            state.first_time = timestamp
        state.last_time = timestamp
        if settings.use_ring_buffer and not self._is_open(timestamp):
            # What is written at once is copied there; who keeps it must do so.
            state.ring.append((copy.deepcopy(value), timestamp))
            if len(state.ring) > settings.ring_buffer_size:
                state.ring.popleft()
                counts.dropped += 1
            return True
        self._write(key, counts, value, timestamp)
        return True

    def _is_open(self, timestamp: float) -> bool:
        return self._open_until is not None and timestamp <= self._open_until

    def _write(self, key: str, counts: KeyCounts, value: Any, timestamp: float) -> None:
        try:
            self.dataset.write(key, value, timestamp)
        except BaseException:
            counts.dropped += 1
            raise
        counts.written += 1
        self._unflushed += 1
        if self.settings.auto_flush and (
            self._unflushed >= self.settings.flush_every_n
            or time.monotonic() - self._flushed_at >= self.settings.flush_every
        ):
            self._flush_dataset()

    def _flush_dataset(self) -> None:
        self.dataset.flush()
        self._unflushed, self._flushed_at = 0, time.monotonic()

    def trigger(self, after: float) -> int:
        with self._lock:
            waiting = [
                (time_s, n, key, value)
                for key, state in self._keys.items()
                for n, (value, time_s) in enumerate(state.ring)
            ]
            # The sort is stable: keys stay in their order within one time.
            waiting.sort(key=lambda entry: entry[0])
            for time_s, _, key, value in waiting:
                state = self._keys[key]
                state.ring.popleft()
                self._write(key, state.counts, value, time_s)
            times = [s.last_time for s in self._keys.values() if s.last_time is not None]
            self._open_until = max(times) + after if times and after > 0.0 else None
            return len(waiting)

    def flush(self) -> None:
        with self._lock:
            self.trigger(0.0)
            self._flush_dataset()

    def close(self) -> None:
        self.flush()

    def counts(self) -> dict[str, KeyCounts]:
        with self._lock:
            for state in self._keys.values():
                state.counts.waiting, state.counts.rate_hz = len(state.ring), state.rate_hz()
            return {key: copy.copy(state.counts) for key, state in self._keys.items()}

    def length(self) -> int:
        return len(self.dataset)


class QueuedWriter(Writer):
    """Encodes at the call, and writes in a thread of its own, without the GIL.

    A failed write is raised at the next call, and by ``flush`` and ``close``.
    """

    def __init__(
        self,
        native: Recorder,
        settings: Settings,
        kinds: KeyKinds,
        backend: FileBackend | None,
    ) -> None:
        self.settings = settings
        self._native = native
        self._kinds = kinds
        self._backend = backend
        self._settled = 0
        #: Whether it takes nothing more.
        self.closed = False
        self._failure: Exception | None = None
        self._process = os.getpid()
        if backend is not None:
            backend.recorders.add(self)

    @classmethod
    def into(cls, backend: FileBackend, settings: Settings) -> QueuedWriter:
        """One that writes to a file which others write to and read as well."""
        native = Recorder.to_recording(backend.writer(), _config(settings))
        return cls(native, settings, backend.kinds, backend)

    @classmethod
    def to_files(cls, path: Path, settings: Settings) -> QueuedWriter:
        """One that writes to files of its own, the first of them at ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(Recorder.to_files(path, _config(settings)), settings, KeyKinds(), None)

    def take(self, values: Mapping[str, Any], timestamp: float | None) -> dict[str, bool]:
        at = time.time_ns() if timestamp is None else to_ns(timestamp)
        return {key: self._take(key, value, at) for key, value in values.items()}

    def _take(self, key: str, value: Any, time_ns: int) -> bool:
        taken = self._native.record(key, value, time_ns)
        if taken is None:
            try:
                self._native.add(key, self._kinds.of(key, value))
            except BaseException:
                self._native.refuse(key)
                raise
            taken = self._native.record(key, value, time_ns)
        return bool(taken)

    def trigger(self, after: float) -> int:
        if not self.settings.use_ring_buffer:
            return 0
        try:
            return self._native.trigger(_ns(max(after, 0.0)))
        finally:
            self._was_written()

    def _was_written(self) -> None:
        """What is open to be read may lack some of it, whether or not more is taken."""
        if self._backend is not None:
            self._backend.reopen()

    def settle(self) -> bool:
        """Waits until what was taken is written, but for what rings keep; whether
        anything was taken since the last time."""
        taken = self._native.taken()
        if taken == self._settled:
            return False
        self._native.flush()
        self._settled = taken
        return True

    def flush(self) -> None:
        self.trigger(0.0)
        self._native.flush()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            try:
                self._native.close()
            except Exception as error:
                self._failure = error
            self._was_written()
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Writes what it took where nobody is left to close it. In a process that was
        forked off there is nothing to write: the other one does."""
        if self._process == os.getpid():
            self.close()

    def counts(self) -> dict[str, KeyCounts]:
        counted = {}
        for key, offered, written, skipped, dropped, rate_hz in self._native.stats():
            waiting = offered - written - skipped - dropped
            counted[key] = KeyCounts(offered, written, skipped, dropped, waiting, rate_hz)
        return counted

    def length(self) -> int:
        if self._backend is not None:
            return self._backend.written()
        return max((key.written for key in self.counts().values()), default=0)


def _ns(seconds: float) -> int:
    """A span in nanoseconds; for what is longer than two centuries, two centuries."""
    return to_ns(min(seconds, 6.3e9))


def _config(settings: Settings) -> str:
    """The settings as the core has them: JSON, times in nanoseconds."""
    named = dict(vars(settings))
    # After each value, if you like; the core knows only times above 0.
    named["flush_every"] = max(_ns(settings.flush_every), 1)
    if settings.split_after is not None:
        named["split_after"] = _ns(settings.split_after)
    # NumPy's integers are integers, too.
    return json.dumps(named, default=operator.index)
