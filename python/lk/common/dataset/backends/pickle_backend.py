"""Pickles: `{key: {"data": [...], "timestamps": [...]}}`."""

from __future__ import annotations

from ._file import FileBackend


class PickleBackend(FileBackend):
    """A pickle that Python's own `pickle` reads too, as plain data.

    It is read by a decoder that runs no code. The file is written whole by
    `flush` and `close`; one that exists is replaced, as `open(path, "wb")`
    does.
    """

    overwrites = True
