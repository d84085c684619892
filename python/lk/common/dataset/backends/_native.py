"""What lk's own backends have beyond a user's: whole nanoseconds, and their
values encoded."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from lk._lk import Recording, to_ns

from .base import DatasetBackend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NANOSECONDS = 10**9


class NativeBackend(DatasetBackend):
    """A backend whose times are integers and whose values can be encoded."""

    def write(self, key: str, value: Any, timestamp: float | None = None) -> None:
        self.write_ns(key, value, time.time_ns() if timestamp is None else to_ns(timestamp))

    @abstractmethod
    def write_ns(self, key: str, value: Any, time_ns: int) -> None:
        """Appends a value at a time in nanoseconds."""

    @abstractmethod
    def timestamps_ns(self, key: str) -> NDArray[np.int64]:
        """The times of a key in nanoseconds."""

    @abstractmethod
    def recording(self) -> Recording:
        """All values, encoded, to read."""

    @abstractmethod
    def count(self, key: str) -> int:
        """How many values a key has."""

    def read_slice(self, key: str, start: int, stop: int) -> list[Any]:
        """The values at these positions."""
        values: list[Any] = self.read(key)
        return values[start:stop]

    def column(self, key: str, path: str) -> NDArray[Any]:
        """One field of all messages."""
        recording = self.recording()
        return read_column(recording, key, path)

    def get_timestamps(self, key: str | None = None) -> list[float]:
        if key is None:
            keys = self.keys()
            if not keys:
                return []
            key = keys[0]
        # The quotient of two integers is rounded once, to the nearest float.
        return [ns / NANOSECONDS for ns in self.timestamps_ns(key).tolist()]

    def __len__(self) -> int:
        return max((self.count(key) for key in self.keys()), default=0)


def read_column(recording: Recording, key: str, path: str) -> NDArray[Any]:
    """One field of all messages as an array, the message's number first."""
    import numpy as np

    kind = recording.kind(key)
    if kind is None:
        from lk.errors import SchemaError

        raise SchemaError(f"key {key}: its messages can't be decoded")
    buffer, dtype, shape = recording.column(key, kind, path)
    # The array is a view of the bytes that were gathered, and may be written to.
    return np.frombuffer(buffer, dtype).reshape(-1, *shape)


def position(index: int, count: int, key: str) -> int:
    """A position from 0 for one that may count from the end."""
    place = index + count if index < 0 else index
    if not 0 <= place < count:
        raise IndexError(f"key {key} has no index {index}: it has {count} values")
    return place
