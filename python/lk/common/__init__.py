"""Components, their wiring, and what is recorded of them."""

from __future__ import annotations

from typing import Any

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
