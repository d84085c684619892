"""Values in a file, encoded at once."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from lk._lk import Kind, Recording
from lk.errors import Error

from ._native import NativeBackend, position

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lk.common.dataset.writers import QueuedWriter

#: Values that an iteration decodes at once.
BLOCK = 1024


class KeyKinds:
    """What the values of each key are: the first decides, for all who write it."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._lock = threading.RLock()

    def of(self, key: str, value: Any) -> Kind:
        """The kind of a key's values, of which this one may be the first.

        Raises:
            SchemaError: no message type holds it; names the key and the field.
        """
        kind = self._kinds.get(key)
        if kind is not None:
            return kind
        with self._lock:
            if key not in self._kinds:
                self._kinds[key] = _kind_of_first(key, value)
            return self._kinds[key]

    def clear(self) -> None:
        """Forgets all keys."""
        self._kinds.clear()


def _kind_of_first(key: str, value: Any) -> Kind:
    from lk._kinds import kind_of_values
    from lk.errors import SchemaError

    try:
        kind = kind_of_values([value])
        kind.encode(value)
        # That it is one of lk's types as well.
        kind.fingerprint()
    except SchemaError as error:
        again = SchemaError(f"key {key}, index 0: {error}")
        for note in getattr(error, "__notes__", []):
            again.add_note(note)
        raise again from error
    return kind


class FileBackend(NativeBackend):
    """A file to write (`mode="write"`) or to read (`mode="read"`).

    The first value of a key decides its type, where a dataclass's annotations
    don't; a later one that doesn't fit is an error that names its index. What
    was written so far can be read at any time: it is flushed, with what waits
    in the queues of its recorders, and the file is opened anew.
    """

    overwrites = False

    def __init__(self, path: str | Path, mode: str = "write", **options: Any) -> None:
        super().__init__(path, **options)
        if mode not in ("write", "read"):
            raise ValueError(f"mode {mode!r}: a file is opened to 'write' or to 'read'")
        self.mode = mode
        self._writer: Recording | None = None
        self._reader: Recording | None = None
        self.kinds = KeyKinds()
        #: Those that write here. They are ended with the file.
        self.recorders: WeakSet[QueuedWriter] = WeakSet()
        self._read_kinds: dict[str, Kind | None] = {}
        self._read_counts: dict[str, int] = {}

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
            self.kinds.clear()
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

    def writer(self) -> Recording:
        """What is written to.

        Raises:
            Error: it is closed, or was opened to read.
        """
        if self._writer is None:
            what = "was opened to read" if self.mode == "read" else "is closed"
            raise Error(f"can't write to {self.file}: it {what}")
        return self._writer

    def _settle(self) -> None:
        """Waits until the file has what its recorders took."""
        for recorder in list(self.recorders):
            if recorder.settle():
                self._reader = None

    def reopen(self) -> None:
        """Lets the next who reads open the file anew."""
        self._reader = None

    def recording(self) -> Recording:
        if self._writer is not None:
            self._settle()
        if self._reader is None:
            if self._writer is None and not self.file.exists():
                raise Error(f"{self.file} was never opened")
            if self._writer is not None:
                self._writer.flush()
            self._reader = self._open_reader()
        return self._reader

    def write_ns(self, key: str, value: Any, time_ns: int) -> None:
        self.writer().write(key, self.kinds.of(key, value), value, time_ns)
        self._reader = None

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
            self._settle()
            return self._writer.keys()
        return self.recording().keys()

    def count(self, key: str) -> int:
        if self._writer is not None:
            self._settle()
            return dict(self._writer.counts())[key]
        recording = self.recording()
        if not self._read_counts:
            # From the file's index, where it has one.
            self._read_counts.update(recording.counts())
        return self._read_counts[key]

    def __len__(self) -> int:
        if self._writer is not None:
            self._settle()
        return self.written()

    def written(self) -> int:
        """The length without what waits in the queues of recorders."""
        recording = self._writer if self._writer is not None else self.recording()
        return max((count for _, count in recording.counts()), default=0)

    def timestamps_ns(self, key: str) -> NDArray[np.int64]:
        import numpy as np

        return np.frombuffer(self.recording().times(key), dtype=np.int64)

    def flush(self) -> None:
        if self._writer is not None:
            self._settle()
            self._writer.flush()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        self.is_open = False
        if writer is None:
            return
        failure: Exception | None = None
        for recorder in list(self.recorders):
            try:
                recorder.close()
            except Error as error:
                failure = failure or error
        self.recorders.clear()
        self._reader = None
        try:
            writer.close()
        except Exception as error:
            # What a recorder ran into came first, and says more.
            failure = failure or error
        if failure is not None:
            raise failure

    def clear(self) -> None:
        """Begins the file anew.

        Raises:
            Error: it was opened to read, or a recorder is open that writes to it.
        """
        if self.mode == "read":
            raise Error(f"can't clear {self.file}: it was opened to read")
        if any(not recorder.closed for recorder in self.recorders):
            raise Error(f"can't clear {self.file}: a recorder writes to it; close that first")
        self.close()
        self.options["overwrite"] = True
        self.open()
