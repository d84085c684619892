"""What every storage of a dataset offers; a user's own subclass will do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class DatasetBackend(ABC):
    """Storage of values by key, each with a time in seconds.

    Values of a key are counted from 0 in the order in which `read` gives them.
    """

    def __init__(self, path: str | Path | None = None, **options: Any) -> None:
        self.path = None if path is None else Path(path)
        self.options = options
        self.is_open = False

    @abstractmethod
    def write(self, key: str, value: Any, timestamp: float | None = None) -> None:
        """Appends a value; at the present time where none is given."""

    @abstractmethod
    def read(self, key: str, index: int | None = None) -> Any:
        """One value, or all of them as a list.

        Raises:
            KeyError: no such key.
            IndexError: no such index; negative ones count from the end.
        """

    @abstractmethod
    def keys(self) -> list[str]:
        """All keys."""

    @abstractmethod
    def __len__(self) -> int:
        """Time steps: the count of the longest key."""

    @abstractmethod
    def get_timestamps(self, key: str | None = None) -> list[float]:
        """The times of a key in seconds; of the first one where none is named."""

    @abstractmethod
    def open(self) -> None:
        """Makes it ready; `Dataset` calls this where it isn't."""

    @abstractmethod
    def close(self) -> None:
        """Ends it; a file is whole afterwards."""

    @abstractmethod
    def flush(self) -> None:
        """Hands what was written to the operating system."""

    def __enter__(self) -> Self:
        if not self.is_open:
            self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
