"""Components, their wiring, and what is recorded of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .component import Component as Component
    from .config import Config as Config
    from .dataset import (
        ConsensusDx as ConsensusDx,
        ConsensusRecorder as ConsensusRecorder,
        DataPlayback as DataPlayback,
        DataRecorder as DataRecorder,
        Dataset as Dataset,
        DatasetBackend as DatasetBackend,
        DiffResult as DiffResult,
        KeyDiff as KeyDiff,
        McapBackend as McapBackend,
        MemoryBackend as MemoryBackend,
        PickleBackend as PickleBackend,
        assert_datasets_equal as assert_datasets_equal,
        compare_values as compare_values,
        diffdiff as diffdiff,
    )
    from .graph import ConnectionGraph as ConnectionGraph
    from .node import Node as Node
    from .port import Port as Port
    from .system import System as System, SystemConfig as SystemConfig

#: What is imported when it is first used, and from where.
_LAZY = {
    "Component": ".component",
    "Config": ".config",
    "ConnectionGraph": ".graph",
    "Node": ".node",
    "Port": ".port",
    "System": ".system",
    "SystemConfig": ".system",
    **dict.fromkeys(
        (
            "Dataset",
            "DatasetBackend",
            "DataRecorder",
            "DataPlayback",
            "ConsensusRecorder",
            "ConsensusDx",
            "DiffResult",
            "KeyDiff",
            "McapBackend",
            "MemoryBackend",
            "PickleBackend",
            "assert_datasets_equal",
            "compare_values",
            "diffdiff",
        ),
        ".dataset",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
