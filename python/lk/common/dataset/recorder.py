"""Recording what flows through ports."""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from lk.common.component import Component
from lk.common.port import InputPort

if TYPE_CHECKING:
    from lk.common.dataset.dataset import Dataset
    from lk.common.node import Node

__all__ = ["DataRecorder"]

T = TypeVar("T")


@dataclass
class _Key:
    """What became of one key: ``offered = written + skipped + dropped + waiting``."""

    offered: int = 0
    written: int = 0
    skipped: int = 0
    dropped: int = 0
    sampled: int = 0
    first_time: float | None = None
    last_time: float | None = None
    ring: deque[tuple[Any, float]] = field(default_factory=deque)

    def rate_hz(self) -> float:
        taken = self.sampled
        if taken < 2 or self.first_time is None or self.last_time is None:
            return 0.0
        span = self.last_time - self.first_time
        return (taken - 1) / span if span > 0.0 else 0.0


class DataRecorder(Component):
    """A component that writes what it is given to a dataset.

    An input's name is its key. Values may come from several threads. Sampling,
    ``max_samples`` and rings are counted for each key by itself, and all that one call
    records has the same time.
    """

    @dataclass
    class Config:
        """How it records; times are in seconds."""

        #: Of each key, one in so many is recorded, the first among them.
        sample_every_n: int = 1
        #: Of each key, so many are recorded, and those after them skipped.
        max_samples: int | None = None
        #: Whether a value without a time gets that of the wall clock.
        auto_timestamp: bool = True
        #: Whether just the last of each key are kept, until ``trigger``, ``flush`` or
        #: ``close`` writes them.
        use_ring_buffer: bool = False
        #: How many of each key are kept so.
        ring_buffer_size: int = 1000
        #: Whether the dataset is flushed now and then: by number or by time, whichever
        #: comes first.
        auto_flush: bool = False
        #: Values, of all keys together, after which it is.
        flush_every_n: int = 100
        #: Time after which it is, with the next value.
        flush_every: float = 1.0

    def __init__(
        self,
        dataset: Dataset,
        name: str | None = None,
        node: Node | None = None,
        config: Any = None,
    ) -> None:
        self.dataset = dataset
        self._lock = threading.RLock()
        self._keys: dict[str, _Key] = {}
        self._recorded: dict[str, int] = {}
        self._unflushed = 0
        self._flushed_at = time.monotonic()
        self._open_until: float | None = None
        self._closed = False
        super().__init__(name=name, node=node, config=config)
        for setting in ("sample_every_n", "ring_buffer_size", "flush_every_n"):
            if getattr(self.config, setting) < 1:
                raise ValueError(f"{setting} must be at least 1")
        if self.config.max_samples is not None and self.config.max_samples < 0:
            raise ValueError("max_samples must be at least 0, or None for no limit")

    def add_input(self, port_name: str, msg_type: type[T]) -> InputPort[T]:
        """Adds an input whose values are recorded under its name.

        Raises:
            ValueError: where there is one of that name.
        """
        port: InputPort[T] = InputPort(port_name, msg_type, owner=self)
        self.inputs.add_port(port_name, port)
        return port

    def record(self, key: str, value: Any, timestamp: float | None = None) -> bool:
        """Records a value, at a time in seconds; whether it was taken, not skipped.

        Raises:
            ValueError: without a time, where ``auto_timestamp`` is off.
            RuntimeError: after ``close``. What the dataset raises comes through, and
                the value is counted as dropped.
        """
        return self.record_all({key: value}, timestamp)[key]

    def record_all(
        self, values: Mapping[str, Any], timestamp: float | None = None
    ) -> dict[str, bool]:
        """Records values by key, all at one time; which of them were taken."""
        with self._lock:
            if self._closed:
                raise RuntimeError(f"recorder {self.name!r} is closed")
            if timestamp is None:
                if not self.config.auto_timestamp:
                    raise ValueError(
                        f"{', '.join(values)}: no timestamp was given; "
                        "hint: give one, or switch auto_timestamp on"
                    )
                timestamp = time.time()
            return {key: self._take(key, value, timestamp) for key, value in values.items()}

    def record_ports(self, timestamp: float | None = None) -> dict[str, bool]:
        """Records what is at the inputs; those without a value are left out."""
        values = {port.name: port.value for port in self.inputs if port.has_value}
        return self.record_all(values, timestamp)

    def forward(self, **values: Any) -> dict[str, bool]:
        """Records values by key: ``recorder(pose=pose, speed=speed)``."""
        return self.record_all(values)

    def step(self) -> bool:
        """Records what has come to the inputs since the last step."""
        return self._system_step(None)

    def _system_step(self, now: float | None) -> bool:
        fresh = {
            port.name: port.value
            for port in self.inputs
            if port.has_value and port.writes != self._recorded.get(port.name, 0)
        }
        self._recorded = {port.name: port.writes for port in self.inputs}
        if fresh:
            self.record_all(fresh, now)
        self.dx.alive()
        return bool(fresh)

    def _take(self, key: str, value: Any, timestamp: float) -> bool:
        counts = self._keys.setdefault(key, _Key())
        config = self.config
        counts.offered += 1
        if (counts.offered - 1) % config.sample_every_n or (
            config.max_samples is not None and counts.sampled >= config.max_samples
        ):
            counts.skipped += 1
            return False
        counts.sampled += 1
        if counts.first_time is None:
            counts.first_time = timestamp
        counts.last_time = timestamp
        if config.use_ring_buffer and not self._is_open(timestamp):
            # What is written at once is copied there; who keeps it must do so.
            counts.ring.append((copy.deepcopy(value), timestamp))
            if len(counts.ring) > config.ring_buffer_size:
                counts.ring.popleft()
                counts.dropped += 1
            return True
        self._write(key, counts, value, timestamp)
        return True

    def _is_open(self, timestamp: float) -> bool:
        return self._open_until is not None and timestamp <= self._open_until

    def _write(self, key: str, counts: _Key, value: Any, timestamp: float) -> None:
        try:
            self.dataset.write(key, value, timestamp)
        except BaseException:
            counts.dropped += 1
            raise
        counts.written += 1
        self._unflushed += 1
        if self.config.auto_flush and (
            self._unflushed >= self.config.flush_every_n
            or time.monotonic() - self._flushed_at >= self.config.flush_every
        ):
            self._flush_dataset()

    def _flush_dataset(self) -> None:
        self.dataset.flush()
        self._unflushed, self._flushed_at = 0, time.monotonic()

    def trigger(self, after: float = 0.0) -> int:
        """Writes what the rings hold, in the order of time, and records all that comes
        in the next ``after`` seconds of recorded time; how many values it wrote."""
        with self._lock:
            waiting = [
                (time_s, n, key, value)
                for key, counts in self._keys.items()
                for n, (value, time_s) in enumerate(counts.ring)
            ]
            # The sort is stable: keys stay in their order within one time.
            waiting.sort(key=lambda entry: entry[0])
            for time_s, _, key, value in waiting:
                counts = self._keys[key]
                counts.ring.popleft()
                self._write(key, counts, value, time_s)
            times = [c.last_time for c in self._keys.values() if c.last_time is not None]
            self._open_until = max(times) + after if times and after > 0.0 else None
            return len(waiting)

    def flush(self) -> None:
        """Writes what the rings hold, and flushes the dataset."""
        with self._lock:
            self.trigger()
            self._flush_dataset()

    def close(self) -> None:
        """Flushes, and takes nothing more. The dataset stays open: it is its owner's."""
        with self._lock:
            if not self._closed:
                self.flush()
                self._closed = True

    def get_stats(self) -> dict[str, Any]:
        """What became of all values.

        ``total_samples`` offered are ``total_writes``, ``skipped`` by sampling and
        limits, ``dropped`` by rings and failures, and those that are ``waiting`` in
        rings; ``per_key`` has the same for each key, with its ``rate_hz`` in values per
        second of their own time. ``recording_rate`` is the sum of those rates.
        """
        with self._lock:
            per_key = {
                key: {
                    "offered": c.offered,
                    "written": c.written,
                    "skipped": c.skipped,
                    "dropped": c.dropped,
                    "waiting": len(c.ring),
                    "rate_hz": c.rate_hz(),
                }
                for key, c in self._keys.items()
            }
            counts = self._keys.values()
            return {
                "total_samples": sum(c.offered for c in counts),
                "total_writes": sum(c.written for c in counts),
                "dataset_length": len(self.dataset),
                "keys": list(self._keys),
                "recording_rate": sum(c.rate_hz() for c in counts),
                "skipped": sum(c.skipped for c in counts),
                "dropped": sum(c.dropped for c in counts),
                "waiting": sum(len(c.ring) for c in counts),
                "per_key": per_key,
            }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
