"""MCAP files: what Foxglove, Rerun, PlotJuggler and the tools of ROS 2 read."""

from __future__ import annotations

from ._file import FileBackend


class McapBackend(FileBackend):
    """An MCAP file. A file that exists is not replaced, unless `overwrite=True`.

    Options: `overwrite`, `compression` (`"zstd"`, `"lz4"`, `"none"`), `live`
    (for recording while something runs: lz4, and at most one second is lost).
    """
