"""Recording what flows through ports."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from lk.common.component import Component
from lk.common.dataset.backends._file import FileBackend
from lk.common.dataset.dataset import Dataset
from lk.common.dataset.writers import DirectWriter, QueuedWriter, Settings, Writer
from lk.common.port import InputPort
from lk.errors import Error

if TYPE_CHECKING:
    from lk.common.node import Node

__all__ = ["DataRecorder"]

T = TypeVar("T")

#: What becomes of a value that finds the queue full.
OVERFLOW = ("block", "drop_newest", "drop_oldest")


class DataRecorder(Component):
    """A component that writes what it is given to a dataset, or to a path.

    An input's name is its key. Values may come from several threads. Sampling,
    ``max_samples`` and rings are counted for each key by itself, and all that one call
    records has the same time.

    To a file, values are encoded at the call and written in a thread of its own: who
    records waits for the disk only where the queue is full, and only with ``overflow``
    as ``"block"``. A write that fails is an ``lk.Error`` of the next call, and of
    ``flush`` and ``close``. Who reads the dataset meanwhile sees all that was recorded
    before. ``close`` puts the counts into the file, as its fact ``recorder``; with the
    dataset's own ``close`` every recorder of it ends, too. Any other dataset is written
    to at the call: there is no queue.

    With a path, the recording is a file of its own, written as it is for live recording
    (``live=True`` of ``Dataset.create``), which ``close`` ends; one that exists is not
    replaced. Where it is split, ``run.mcap`` is followed by ``run_1.mcap``,
    ``run_2.mcap`` and so on.

    In a system, of several values that one step brings to an input the last is
    recorded, at the system's time, which is in float seconds; ``record`` takes all.
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
        #: Time after which it is; without a queue with the next value.
        flush_every: float = 1.0
        #: What becomes of a value that finds the queue full: ``"block"`` waits for a
        #: place, ``"drop_newest"`` drops it, ``"drop_oldest"`` the one that waits longest.
        overflow: str = "block"
        #: How much may wait in the queue, in bytes as they are written.
        queue_bytes: int = 64 << 20
        #: Goes on in a new file after so many bytes of values.
        split_bytes: int | None = None
        #: Goes on in a new file after so much recorded time.
        split_after: float | None = None

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        name: str | None = None,
        node: Node | None = None,
        config: Any = None,
    ) -> None:
        self._recorded: dict[str, int] = {}
        self._closed = False
        super().__init__(name=name, node=node, config=config)
        self._settings = _settings(self.config)
        self._dataset: Dataset | None
        self._owned: Dataset | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._writer: Writer
        if isinstance(dataset, Dataset):
            self._dataset = dataset
            self._writer = _writer(dataset, self._settings)
        elif self._settings.splits:
            self._dataset = None
            self._writer = QueuedWriter.to_files(Path(dataset), self._settings)
        else:
            self._dataset = self._owned = _create(Path(dataset))
            self._writer = _writer(self._dataset, self._settings)
        if isinstance(self._writer, QueuedWriter):
            # Let go of without close, it writes what it took: also at the end of Python.
            self._finalizer = weakref.finalize(self, self._writer.abandon)

    @property
    def dataset(self) -> Dataset:
        """What it writes to.

        Raises:
            Error: it writes to several files, each of which is one.
        """
        if self._dataset is None:
            raise Error("a recording that is split has no dataset of its own: load its files")
        return self._dataset

    def add_input(self, port_name: str, msg_type: type[T]) -> InputPort[T]:
        """Adds an input whose values are recorded under its name.

        Raises:
            ValueError: where there is one of that name.
        """
        port: InputPort[T] = InputPort(port_name, msg_type, owner=self)
        self.inputs.add_port(port_name, port)
        return port

    def record(self, key: str, value: Any, timestamp: float | None = None) -> bool:
        """Records a value, at a time in seconds; whether it was taken, not skipped nor
        dropped from a full queue.

        Raises:
            ValueError: without a time, where ``auto_timestamp`` is off.
            RuntimeError: after ``close``.
            Error: where writing failed before. What else the dataset raises for the
                value comes through. In both cases it is counted as dropped.
        """
        return self.record_all({key: value}, timestamp)[key]

    def record_all(
        self, values: Mapping[str, Any], timestamp: float | None = None
    ) -> dict[str, bool]:
        """Records values by key, all at one time; which of them were taken."""
        if self._closed:
            raise RuntimeError(f"recorder {self.name!r} is closed")
        if timestamp is None and not self.config.auto_timestamp:
            raise ValueError(
                f"{', '.join(values)}: no timestamp was given; "
                "hint: give one, or switch auto_timestamp on"
            )
        return self._writer.take(values, timestamp)

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

    def trigger(self, after: float = 0.0) -> int:
        """Writes what the rings hold, in the order of time, and records all that comes
        in the next ``after`` seconds of recorded time; how many values the rings held."""
        return self._writer.trigger(after)

    def flush(self) -> None:
        """Writes what waits and what the rings hold, and flushes the dataset."""
        self._writer.flush()

    def close(self) -> None:
        """Flushes, and takes nothing more. A dataset that it was given stays open: it
        is its owner's; a file that it made itself is whole afterwards."""
        if self._closed:
            return
        self._closed = True
        if self._finalizer is not None:
            self._finalizer.detach()
        try:
            self._writer.close()
        finally:
            if self._owned is not None:
                self._owned.close()

    def get_stats(self) -> dict[str, Any]:
        """What became of all values.

        ``total_samples`` offered are ``total_writes``, ``skipped`` by sampling and
        limits, ``dropped`` by rings, full queues and failures, and those that are
        ``waiting`` in rings and in the queue; ``per_key`` has the same for each key, with
        its ``rate_hz`` in values per second of their own time. ``recording_rate`` is the
        sum of those rates, ``dataset_length`` that of the dataset without those that
        wait. It waits for nothing: ``flush`` first, to see all of them written.
        """
        counts = self._writer.counts()
        return {
            "total_samples": sum(c.offered for c in counts.values()),
            "total_writes": sum(c.written for c in counts.values()),
            "dataset_length": self._writer.length(),
            "keys": list(counts),
            "recording_rate": sum(c.rate_hz for c in counts.values()),
            "skipped": sum(c.skipped for c in counts.values()),
            "dropped": sum(c.dropped for c in counts.values()),
            "waiting": sum(c.waiting for c in counts.values()),
            "per_key": {key: asdict(c) for key, c in counts.items()},
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


def _settings(config: Any) -> Settings:
    """The settings of a config, which may lack those that came later.

    Raises:
        ValueError: for one that makes no sense.
    """
    defaults = DataRecorder.Config()
    names = [field.name for field in fields(Settings)]
    given = {n: getattr(config, n, getattr(defaults, n)) for n in names}
    flags = {n: bool(given[n]) for n in ("use_ring_buffer", "auto_flush")}
    made = Settings(**{**given, **flags})
    least = {
        "sample_every_n": 1,
        "max_samples": 0,
        "ring_buffer_size": 1,
        "flush_every_n": 1,
        "flush_every": 0,
        "queue_bytes": 1,
        "split_bytes": 1,
    }
    for setting, low in least.items():
        value = getattr(made, setting)
        if value is not None and not value >= low:
            limit = ", or None for no limit" if setting == "max_samples" else ""
            raise ValueError(f"{setting} must be at least {low}{limit}")
    if made.split_after is not None and not made.split_after > 0.0:
        raise ValueError("split_after must be above 0")
    if made.overflow not in OVERFLOW:
        raise ValueError(f"overflow is {made.overflow!r}; it may be {', '.join(OVERFLOW)}")
    return made


def _writer(dataset: Dataset, settings: Settings) -> Writer:
    """What writes to a dataset."""
    if settings.splits:
        raise ValueError(
            "only a recording to a path can be split: give the recorder a path, not a dataset"
        )
    backend = dataset.backend
    # Who writes in a way of their own is asked to.
    plain = type(dataset).write is Dataset.write
    if plain and isinstance(backend, FileBackend) and type(backend).write_ns is FileBackend.write_ns:
        return QueuedWriter.into(backend, settings)
    for setting in ("overflow", "queue_bytes"):
        default = getattr(DataRecorder.Config(), setting)
        if getattr(settings, setting) != default:
            raise ValueError(
                f"{setting} is for the queue before a file, and {type(backend).__name__} is "
                f"written to at the call: leave it at {default!r}"
            )
    return DirectWriter(dataset, settings)


def _create(path: Path) -> Dataset:
    kind = "pickle" if path.suffix.lower() in (".pkl", ".pickle") else "mcap"
    return Dataset.create(kind, path, live=True, overwrite=False)
