"""Values in a file, encoded at once."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lk._lk import Kind, Recording
from lk.errors import Error

from ._native import NativeBackend, position

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Values that an iteration decodes at once.
BLOCK = 1024


class FileBackend(NativeBackend):
    """A file to write (`mode="write"`) or to read (`mode="read"`).

    The first value of a key decides its type, where a dataclass's annotations
    don't; a later one that doesn't fit is an error that names its index. What
    was written so far can be read at any time: it is flushed, and the file is
    opened anew.
    """

    overwrites = False

    def __init__(self, path: str | Path, mode: str = "write", **options: Any) -> None:
        super().__init__(path, **options)
        if mode not in ("write", "read"):
            raise ValueError(f"mode {mode!r}: a file is opened to 'write' or to 'read'")
        self.mode = mode
        self._writer: Recording | None = None
        self._reader: Recording | None = None
        self._kinds: dict[str, Kind] = {}
        self._read_kinds: dict[str, Kind | None] = {}
        self._read_counts: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    @property
    def file(self) -> Path:
        """Where it is."""
        assert self.path is not None
        return self.path

    def open(self) -> None:
        if self.mode == "read":
            self._reader = self._open_reader()
        else:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            options = dict(self.options)
            overwrite = bool(options.pop("overwrite", self.overwrites))
            compression = str(options.pop("compression", ""))
            live = bool(options.pop("live", False))
            if options:
                raise TypeError(f"unknown options of {type(self).__name__}: {', '.join(options)}")
            self._writer = Recording.create(self.file, overwrite, compression, live)
            # Opened a second time it begins anew, and so do its keys.
            self._kinds.clear()
            self._counts.clear()
            self._reader = None
        self.is_open = True

    def _open_reader(self) -> Recording:
        reader = Recording.open(self.file)
        problems, notes, whole = reader.integrity()
        if self.mode == "read" and not whole:
            said = "; ".join([*problems, *notes]) or "not all of it could be read"
            warnings.warn(f"{self.file} is damaged: {said}", stacklevel=5)
        self._read_kinds.clear()
        self._read_counts.clear()
        return reader

    def recording(self) -> Recording:
        if self._reader is None:
            if self._writer is None and not self.file.exists():
                raise Error(f"{self.file} was never opened")
            if self._writer is not None:
                self._writer.flush()
            self._reader = self._open_reader()
        return self._reader

    def write_ns(self, key: str, value: Any, time_ns: int) -> None:
        writer = self._writer
        if writer is None:
            what = "was opened to read" if self.mode == "read" else "is closed"
            raise Error(f"can't write to {self.file}: it {what}")
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._add(writer, key, value)
        index = self._counts[key]
        writer.write(key, kind, value, time_ns, index)
        self._counts[key] = index + 1
        self._reader = None

    def _add(self, writer: Recording, key: str, value: Any) -> Kind:
        from lk._kinds import kind_of_values
        from lk.errors import SchemaError

        try:
            kind = kind_of_values([value])
            kind.encode(value)
            writer.add(key, kind, "")
        except SchemaError as error:
            again = SchemaError(f"key {key}, index 0: {error}")
            for note in getattr(error, "__notes__", []):
                again.add_note(note)
            raise again from error
        self._kinds[key] = kind
        self._counts[key] = 0
        return kind

    def _kind(self, key: str) -> Kind | None:
        if key not in self._read_kinds:
            self._read_kinds[key] = self.recording().kind(key)
        return self._read_kinds[key]

    def read(self, key: str, index: int | None = None) -> Any:
        recording = self.recording()
        kind = self._kind(key)
        count = self.count(key)
        if index is None:
            return recording.read_all(key, kind, 0, count)
        return recording.read(key, kind, position(index, count, key))

    def read_slice(self, key: str, start: int, stop: int) -> list[Any]:
        return self.recording().read_all(key, self._kind(key), start, stop)

    def keys(self) -> list[str]:
        if self._writer is not None:
            return list(self._kinds)
        return self.recording().keys()

    def count(self, key: str) -> int:
        if self._writer is not None:
            return self._counts[key]
        recording = self.recording()
        if not self._read_counts:
            # From the file's index, where it has one.
            self._read_counts.update(recording.counts())
        return self._read_counts[key]

    def __len__(self) -> int:
        if self._writer is not None:
            return max(self._counts.values(), default=0)
        return max((count for _, count in self.recording().counts()), default=0)

    def timestamps_ns(self, key: str) -> NDArray[np.int64]:
        import numpy as np

        return np.frombuffer(self.recording().times(key), dtype=np.int64)

    def flush(self) -> None:
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        self.is_open = False
        if writer is not None:
            self._reader = None
            writer.close()

    def clear(self) -> None:
        """Begins the file anew."""
        if self.mode == "read":
            raise Error(f"can't clear {self.file}: it was opened to read")
        self.close()
        self.options["overwrite"] = True
        self.open()
