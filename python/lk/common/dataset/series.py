"""The values of one key, as a sequence and by time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from lk._lk import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .dataset import Dataset

#: Values that an iteration reads at once.
_BLOCK = 1024


class Series(Sequence[Any]):
    """The values of a key: `ds["pose"]`.

    - `series[3]`, `series[-1]`, `series[2:9]`: by position.
    - `series[2.0:3.5]`: by time in seconds, from 2.0 on and before 3.5. One
      bound that is a float makes both a time.
    - `series["position.x"]`: a field of all values, as an array.

    Equal to a list with equal values.
    """

    def __init__(self, dataset: Dataset, key: str, start: int, stop: int) -> None:
        self._dataset = dataset
        self.key = key
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Series: ...
    @overload
    def __getitem__(self, index: str) -> NDArray[Any]: ...
    def __getitem__(self, index: int | slice | str) -> Any:
        if isinstance(index, str):
            return self.column(index)
        if not isinstance(index, slice):
            count = len(self)
            place = index.__index__()
            place += count if place < 0 else 0
            if not 0 <= place < count:
                raise IndexError(f"key {self.key} has no index {index}: it has {count} values")
            return self._dataset.read(self.key, self._start + place)
        if isinstance(index.start, float) or isinstance(index.stop, float):
            return self._between(index)
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise ValueError("a slice of a dataset has no step")
        return self._part(start, max(start, stop))

    def _part(self, start: int, stop: int) -> Series:
        return Series(self._dataset, self.key, self._start + start, self._start + stop)

    def _between(self, bounds: slice) -> Series:
        if bounds.step is not None:
            raise ValueError("a slice by time has no step")
        times = self.timestamps_ns
        if len(times) > 1 and bool((times[1:] < times[:-1]).any()):
            raise ValueError(
                f"the times of key {self.key} go back, so that a time is no place in it; "
                "hint: write values in the order of their times"
            )
        start = 0 if bounds.start is None else bisect_left(times, to_ns(bounds.start))
        stop = len(times) if bounds.stop is None else bisect_left(times, to_ns(bounds.stop))
        return self._part(start, max(start, stop))

    def __iter__(self) -> Iterator[Any]:
        for start in range(self._start, self._stop, _BLOCK):
            yield from self._dataset._read_slice(self.key, start, min(start + _BLOCK, self._stop))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Series):
            return self.to_list() == other.to_list()
        if isinstance(other, list):
            return self.to_list() == other
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Series({self.key!r}, {len(self)} values)"

    def to_list(self) -> list[Any]:
        """All values."""
        return self._dataset._read_slice(self.key, self._start, self._stop)

    def column(self, path: str = "") -> NDArray[Any]:
        """A field of all values as an array; the values themselves for an empty path.

        The shape is that of one value's field, after the number of values.

        Raises:
            SchemaError: there is no such field, or it is neither a number nor
                an array of a fixed shape.
        """
        return self._dataset._column(self.key, path)[self._start : self._stop]

    def to_numpy(self) -> NDArray[Any]:
        """Numbers as an array."""
        return self.column()

    @property
    def timestamps(self) -> list[float]:
        """Seconds."""
        return self._dataset.get_timestamps(self.key)[self._start : self._stop]

    @property
    def timestamps_ns(self) -> NDArray[np.int64]:
        """Nanoseconds."""
        return self._dataset.timestamps_ns(self.key)[self._start : self._stop]
