"""Does the new implementation behave like the original?

Record what a component gets and gives, run the port on the same inputs, and
compare the two recordings.

>>> import lk
>>> a, b = lk.Dataset.create(), lk.Dataset.create()
>>> a.write("speed", 1.0, timestamp=0.0)
>>> b.write("speed", 1.5, timestamp=0.0)
>>> lk.diffdiff(a, b).matches
False
"""

from __future__ import annotations

from typing import Any

from ._annotations import Dtype, Shape, Unit
from ._lk import __version__
from ._records import Record
from .common.dataset import (
    Dataset,
    DatasetBackend,
    DatasetComparison,
    DiffResult,
    KeyDiff,
    McapBackend,
    MemoryBackend,
    PickleBackend,
    Series,
    assert_datasets_equal,
    compare_values,
    diffdiff,
)
from .errors import CandidateError, DatasetMismatch, Error, PolicyError, SchemaError

#: What is imported when it is first used, and from where.
_LAZY = {
    "Msg": "lk.msgs.msg",
    "Observation": "lk.msgs.msg",
    "Action": "lk.msgs.msg",
    "Reward": "lk.msgs.msg",
    "Done": "lk.msgs.msg",
    "Info": "lk.msgs.msg",
    "Component": "lk.common.component",
    "LifecycleComponent": "lk.common.component",
    "Config": "lk.common.config",
    "ConnectionGraph": "lk.common.graph",
    "Node": "lk.common.node",
    "Port": "lk.common.port",
    "InputPort": "lk.common.port",
    "OutputPort": "lk.common.port",
    "System": "lk.common.system",
    "SystemConfig": "lk.common.system",
    "DataRecorder": "lk.common.dataset.recorder",
    "DataPlayback": "lk.common.dataset.playback",
    "ConsensusRecorder": "lk.common.dataset.consensus",
    "ConsensusDx": "lk.common.dataset.consensus",
    "Prompt": "lk.utils.prompt",
    "create_prompt": "lk.utils.prompt",
    "send_prompt": "lk.utils.prompt",
}

__all__ = [
    "CandidateError",
    "Dataset",
    "DatasetBackend",
    "DatasetComparison",
    "DatasetMismatch",
    "DiffResult",
    "Dtype",
    "Error",
    "KeyDiff",
    "McapBackend",
    "MemoryBackend",
    "PickleBackend",
    "PolicyError",
    "Record",
    "SchemaError",
    "Series",
    "Shape",
    "Unit",
    "__version__",
    "assert_datasets_equal",
    "compare_values",
    "diffdiff",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
