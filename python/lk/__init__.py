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

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from .common.agent import Agent as Agent
    from .common.component import (
        Component as Component,
        LifecycleComponent as LifecycleComponent,
        LifecycleState as LifecycleState,
    )
    from .common.config import Config as Config
    from .common.dataset.consensus import (
        ConsensusDx as ConsensusDx,
        ConsensusRecorder as ConsensusRecorder,
    )
    from .common.dataset.playback import DataPlayback as DataPlayback
    from .common.dataset.recorder import DataRecorder as DataRecorder
    from .common.dataset.replay import replay as replay
    from .common.env import Env as Env
    from .common.graph import Connection as Connection, ConnectionGraph as ConnectionGraph
    from .common.node import ExecutionMode as ExecutionMode, Node as Node, NodeConfig as NodeConfig
    from .common.port import InputPort as InputPort, OutputPort as OutputPort, Port as Port
    from .common.program import Program as Program
    from .common.system import System as System, SystemConfig as SystemConfig
    from .msgs.msg import (
        Action as Action,
        Done as Done,
        Info as Info,
        Msg as Msg,
        Observation as Observation,
        Reward as Reward,
    )
    from .msgs.random_msgs import (
        DataDist as DataDist,
        RandomArray as RandomArray,
        RandomBool as RandomBool,
        RandomFloat as RandomFloat,
        RandomInt as RandomInt,
        RandomMsg as RandomMsg,
        RandomStr as RandomStr,
        RandomType as RandomType,
    )
    from .utils.compile import ai_compile as ai_compile, nn_compile as nn_compile
    from .utils.prompt import (
        Prompt as Prompt,
        create_prompt as create_prompt,
        send_prompt as send_prompt,
    )

#: What is imported when it is first used, and from where.
_LAZY = {
    "Msg": "lk.msgs.msg",
    "Observation": "lk.msgs.msg",
    "Action": "lk.msgs.msg",
    "Reward": "lk.msgs.msg",
    "Done": "lk.msgs.msg",
    "Info": "lk.msgs.msg",
    "Agent": "lk.common.agent",
    "Env": "lk.common.env",
    "Component": "lk.common.component",
    "LifecycleState": "lk.common.component",
    "LifecycleComponent": "lk.common.component",
    "Config": "lk.common.config",
    "ConnectionGraph": "lk.common.graph",
    "Connection": "lk.common.graph",
    "Node": "lk.common.node",
    "NodeConfig": "lk.common.node",
    "ExecutionMode": "lk.common.node",
    "Port": "lk.common.port",
    "InputPort": "lk.common.port",
    "OutputPort": "lk.common.port",
    "Program": "lk.common.program",
    "System": "lk.common.system",
    "SystemConfig": "lk.common.system",
    "DataRecorder": "lk.common.dataset.recorder",
    "DataPlayback": "lk.common.dataset.playback",
    "replay": "lk.common.dataset.replay",
    "ConsensusRecorder": "lk.common.dataset.consensus",
    "ConsensusDx": "lk.common.dataset.consensus",
    "record": "lk._record",
    "Prompt": "lk.utils.prompt",
    "create_prompt": "lk.utils.prompt",
    "send_prompt": "lk.utils.prompt",
    "ai_compile": "lk.utils.compile",
    "nn_compile": "lk.utils.compile",
    "DataDist": "lk.msgs.random_msgs",
    "RandomArray": "lk.msgs.random_msgs",
    "RandomBool": "lk.msgs.random_msgs",
    "RandomFloat": "lk.msgs.random_msgs",
    "RandomInt": "lk.msgs.random_msgs",
    "RandomMsg": "lk.msgs.random_msgs",
    "RandomStr": "lk.msgs.random_msgs",
    "RandomType": "lk.msgs.random_msgs",
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
