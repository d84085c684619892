"""Datasets: recorded values by key, and their comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .backends import DatasetBackend, McapBackend, MemoryBackend, PickleBackend
from .dataset import Dataset
from .diff import (
    DatasetComparison,
    DiffResult,
    KeyDiff,
    assert_datasets_equal,
    compare_values,
    diffdiff,
)
from .series import Series

if TYPE_CHECKING:
    from .consensus import ConsensusDx as ConsensusDx, ConsensusRecorder as ConsensusRecorder
    from .playback import DataPlayback as DataPlayback
    from .recorder import DataRecorder as DataRecorder
    from .viz import (
        plot_comparison as plot_comparison,
        plot_heatmap as plot_heatmap,
        plot_histogram as plot_histogram,
        plot_timeseries as plot_timeseries,
    )

#: What is imported when it is first used, and from where.
_LAZY = {
    "DataRecorder": ".recorder",
    "DataPlayback": ".playback",
    "ConsensusRecorder": ".consensus",
    "ConsensusDx": ".consensus",
    "plot_histogram": ".viz",
    "plot_heatmap": ".viz",
    "plot_timeseries": ".viz",
    "plot_comparison": ".viz",
}

__all__ = [
    "Dataset",
    "DatasetBackend",
    "DatasetComparison",
    "DiffResult",
    "KeyDiff",
    "McapBackend",
    "MemoryBackend",
    "PickleBackend",
    "Series",
    "assert_datasets_equal",
    "compare_values",
    "diffdiff",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
