"""Values in memory, as they are."""

from __future__ import annotations

import copy
import operator
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lk._lk import Recording

from ._native import NANOSECONDS, NativeBackend, position

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: What can't change is kept without a copy.
_IMMUTABLE = frozenset({int, float, bool, str, bytes, complex, type(None)})


def own_copy(value: Any) -> Any:
    """A value that nobody else can change."""
    return value if type(value) in _IMMUTABLE else copy.deepcopy(value)


class MemoryBackend(NativeBackend):
    """Keeps a deep copy of each value, whatever it is.

    A value becomes a message only when the dataset is saved or compared; what
    can't be one is refused there, by name.
    """

    def __init__(self, path: str | Path | None = None, **options: Any) -> None:
        super().__init__(path, **options)
        self._values: dict[str, list[Any]] = {}
        self._times: dict[str, array[int]] = {}
        self._encoded: Recording | None = None

    def write_ns(self, key: str, value: Any, time_ns: int) -> None:
        kept = own_copy(value)
        # Whatever can't be copied, or is no time, is refused before anything is kept.
        time = operator.index(time_ns)
        if not -(2**63) <= time < 2**63:
            raise OverflowError(f"key {key}: {time} ns is no time: 64 bits can't hold it")
        values = self._values.get(key)
        if values is None:
            values = self.add_key(key)
        values.append(kept)
        self._times[key].append(time)
        self._encoded = None

    def add_key(self, key: str) -> list[Any]:
        """Makes sure that there is such a key, if without values; returns them."""
        self._encoded = None
        self._times.setdefault(key, array("q"))
        return self._values.setdefault(key, [])

    def read(self, key: str, index: int | None = None) -> Any:
        values = self._values[key]
        if index is None:
            return list(values)
        return values[position(index, len(values), key)]

    def read_slice(self, key: str, start: int, stop: int) -> list[Any]:
        return self._values[key][start:stop]

    def keys(self) -> list[str]:
        return list(self._values)

    def count(self, key: str) -> int:
        return len(self._values[key])

    def timestamps_ns(self, key: str) -> NDArray[np.int64]:
        import numpy as np

        return np.array(self._times[key], dtype=np.int64)

    def column(self, key: str, path: str) -> NDArray[Any]:
        import numpy as np

        ordered = super().column(key, path)
        times = self.timestamps_ns(key)
        if len(times) < 2 or bool(np.all(times[1:] >= times[:-1])):
            return ordered
        # Messages come by time, and values here are in the order of writing.
        written = np.empty_like(ordered)
        written[np.argsort(times, kind="stable")] = ordered
        return written

    def get_data_dict(self) -> dict[str, dict[str, list[Any]]]:
        """`{key: {"data": [...], "timestamps": [...]}}`, the values themselves."""
        return {
            key: {"data": values, "timestamps": [ns / NANOSECONDS for ns in self._times[key]]}
            for key, values in self._values.items()
        }

    def recording(self) -> Recording:
        if self._encoded is None:
            self._encoded = self.encode()
        return self._encoded

    def encode(self, beside: MemoryBackend | None = None) -> Recording:
        """All values as messages; of types that hold those of `beside` too."""
        from lk._kinds import kind_of_values
        from lk.errors import SchemaError

        recording = Recording.memory(sum(map(len, self._values.values())))
        for key, values in self._values.items():
            others = beside._values.get(key) if beside is not None else None
            try:
                kind = kind_of_values(values, others)
                recording.add(key, kind, "")
            except SchemaError as error:
                raise SchemaError(f"key {key}: {error}") from error
            recording.write_all(key, kind, values, self._times[key].tobytes())
        return recording

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def flush(self) -> None:
        """Nothing is buffered."""

    def clear(self) -> None:
        """Forgets all values."""
        self._values.clear()
        self._times.clear()
        self._encoded = None
