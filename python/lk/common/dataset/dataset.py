"""Recorded values by key."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lk._lk import Recording, to_ns
from lk.errors import Error

from .backends.base import DatasetBackend
from .backends.mcap import McapBackend
from .backends.memory import MemoryBackend
from .backends.pickle_backend import PickleBackend
from .backends._native import NANOSECONDS, NativeBackend
from .series import Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .diff import DiffResult

_FILES: dict[str, type[McapBackend] | type[PickleBackend]] = {
    "mcap": McapBackend,
    "pickle": PickleBackend,
}
_EXTENSIONS = {".pkl": "pickle", ".pickle": "pickle"}


class Dataset:
    """Values by key, each with a time.

    >>> ds = Dataset.create()
    >>> ds.write("speed", 1.5, timestamp=0.0)
    >>> ds["speed"][0]
    1.5

    Times are float seconds here and whole nanoseconds inside: `timestamps_ns`
    and `write(..., timestamp_ns=...)` are without rounding.
    """

    def __init__(self, backend: DatasetBackend) -> None:
        self.backend = backend
        if not backend.is_open:
            backend.open()

    @classmethod
    def create(
        cls, backend: str = "memory", path: str | Path | None = None, **options: Any
    ) -> Dataset:
        """An empty dataset: `"memory"`, or a file by `"mcap"` or `"pickle"`.

        Raises:
            FileExistsError: an MCAP file that is there, without `overwrite=True`.
        """
        if backend == "memory":
            return cls(MemoryBackend(path, **options))
        if backend == "reductstore":
            raise NotImplementedError("reductstore is not part of this build of lk")
        if backend not in _FILES:
            raise ValueError(f"no backend {backend!r}: there are memory, {', '.join(_FILES)}")
        if path is None:
            raise ValueError(f"a dataset in a file needs a path: create({backend!r}, path=...)")
        return cls(_FILES[backend](path, mode="write", **options))

    @classmethod
    def load(cls, path: str | Path, backend: str | None = None, **options: Any) -> Dataset:
        """A dataset to read, of the kind that its content says.

        MCAP files, pickles, and recordings of rosbag2. What is damaged is left
        out, with a warning that says what.

        Raises:
            FileNotFoundError: with a note of what there is instead.
        """
        if backend is not None and backend not in _FILES:
            raise ValueError(f"no backend {backend!r} of files: there are {', '.join(_FILES)}")
        kind = backend or _EXTENSIONS.get(Path(path).suffix.lower(), "mcap")
        return cls(_FILES[kind](path, mode="read", **options))

    def write(
        self,
        key: str,
        value: Any,
        timestamp: float | None = None,
        *,
        timestamp_ns: int | None = None,
    ) -> None:
        """Appends a value, at the present time where none is given.

        Raises:
            SchemaError: a file can't hold the value; names key, index and field.
        """
        backend = self.backend
        if timestamp is not None and timestamp_ns is not None:
            raise TypeError("give timestamp or timestamp_ns, not both")
        if isinstance(backend, NativeBackend):
            if timestamp_ns is None:
                timestamp_ns = time.time_ns() if timestamp is None else to_ns(timestamp)
            backend.write_ns(key, value, timestamp_ns)
            return
        if timestamp_ns is not None:
            timestamp = timestamp_ns / NANOSECONDS
        backend.write(key, value, timestamp)

    def read(self, key: str, index: int | None = None) -> Any:
        """One value, or all of them as a list; negative indexes count from the end.

        Raises:
            KeyError, IndexError: there is none.
        """
        if key not in self.backend.keys():
            error = KeyError(key)
            error.add_note(f"hint: the keys are {', '.join(self.backend.keys())}")
            raise error
        return self.backend.read(key, index)

    def __getitem__(self, key: str) -> Series:
        if key not in self.backend.keys():
            raise KeyError(key)
        return Series(self, key, 0, self._count(key))

    def __contains__(self, key: object) -> bool:
        return key in self.backend.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        """Time steps: the count of the longest key."""
        return len(self.backend)

    def keys(self) -> list[str]:
        """All keys, in the order in which they were written first."""
        return list(self.backend.keys())

    def items(self) -> list[tuple[str, Series]]:
        """Keys and their values."""
        return [(key, self[key]) for key in self.keys()]

    def get_timestamps(self, key: str | None = None) -> list[float]:
        """The times of a key in seconds; of the first key where none is named."""
        return list(self.backend.get_timestamps(key))

    def timestamps_ns(self, key: str) -> NDArray[np.int64]:
        """The times of a key in nanoseconds."""
        if isinstance(self.backend, NativeBackend):
            return self.backend.timestamps_ns(key)
        import numpy as np

        return np.array([to_ns(t) for t in self.backend.get_timestamps(key)], dtype=np.int64)

    def _count(self, key: str) -> int:
        if isinstance(self.backend, NativeBackend):
            return self.backend.count(key)
        return len(self.backend.read(key))

    def _read_slice(self, key: str, start: int, stop: int) -> list[Any]:
        if isinstance(self.backend, NativeBackend):
            return self.backend.read_slice(key, start, stop)
        values: list[Any] = self.backend.read(key)
        return values[start:stop]

    def _column(self, key: str, path: str) -> NDArray[Any]:
        if isinstance(self.backend, NativeBackend):
            return self.backend.column(key, path)
        return self._in_memory().column(key, path)

    def _in_memory(self) -> MemoryBackend:
        if isinstance(self.backend, MemoryBackend):
            return self.backend
        memory = MemoryBackend()
        for key in self.keys():
            for value, ns in zip(self.backend.read(key), self.timestamps_ns(key).tolist()):
                memory.write_ns(key, value, ns)
        return memory

    def _recording(self) -> Recording:
        """All values as messages."""
        if isinstance(self.backend, NativeBackend):
            return self.backend.recording()
        return self._in_memory().recording()

    def to_dict(self) -> dict[str, dict[str, list[Any]]]:
        """`{key: {"data": [...], "timestamps": [...]}}`."""
        return {
            key: {"data": list(self.backend.read(key)), "timestamps": self.get_timestamps(key)}
            for key in self.keys()
        }

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Mapping[str, Any]],
        backend: str = "memory",
        path: str | Path | None = None,
        **options: Any,
    ) -> Dataset:
        """The dataset of what `to_dict` gives.

        A key without values is kept in memory; a file, which would need its type, has
        none.
        """
        dataset = cls.create(backend, path, **options)
        for key, columns in data.items():
            values, times = columns["data"], columns["timestamps"]
            if len(values) != len(times):
                raise Error(f"key {key}: {len(values)} values have {len(times)} timestamps")
            if isinstance(dataset.backend, MemoryBackend):
                dataset.backend.add_key(key)
            for value, timestamp in zip(values, times):
                dataset.write(key, value, timestamp)
        return dataset

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes all of it to a `.mcap` or `.pkl` file.

        Raises:
            SchemaError: a value that no message type holds; names key and field.
        """
        recording = self._recording()
        target = Recording.create(Path(path), overwrite, "", False)
        target.copy_from(recording)
        target.close()

    def flush(self) -> None:
        """Hands what was written to the operating system."""
        self.backend.flush()

    def close(self) -> None:
        """Ends the file, or lets go of it; what was written can still be read."""
        self.backend.close()

    def clear(self) -> None:
        """Forgets all values; of a file, all that it holds."""
        clear = getattr(self.backend, "clear", None)
        if clear is None:
            raise Error(f"{type(self.backend).__name__} can't be cleared")
        clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def compare(self, other: Dataset, tolerance: float = 1e-6, **options: Any) -> DiffResult:
        """diffdiff with this dataset for the reference; options as `diffdiff` has them."""
        from .diff import diffdiff

        return diffdiff(self, other, tol=tolerance, **options)

    def diffdiff(
        self, other: Dataset, output_file: str | Path | None = None, **options: Any
    ) -> DiffResult:
        """As `diffdiff(self, other)`; writes the report to a file where one is named."""
        from .diff import diffdiff

        result = diffdiff(self, other, **options)
        if output_file is not None:
            result.save_to_file(output_file)
        return result

    def to_polars(self, key: str | None = None) -> Any:
        """A `polars.DataFrame` of a key; of each key by name where none is named.

        A row is a value, a column a field; `timestamp_ns` comes first.
        """
        from .frames import polars_frame

        if key is not None:
            return polars_frame(self[key])
        return {key: polars_frame(self[key]) for key in self.keys()}

    def to_pandas(self, key: str | None = None) -> Any:
        """As `to_polars`, a `pandas.DataFrame`."""
        from .frames import pandas_frame

        if key is not None:
            return pandas_frame(self[key])
        return {key: pandas_frame(self[key]) for key in self.keys()}

    def __repr__(self) -> str:
        keys = ", ".join(f"{key}: {self._count(key)}" for key in self.keys())
        return f"Dataset({type(self.backend).__name__}, {{{keys}}})"

    def _repr_html_(self) -> str:
        from .frames import html

        return html(self)
