"""Code that was written for the package that lk grew out of runs unchanged.

The text below is the interfaces as that package's description shows them, module by
module. Ours may take more at the end, never less, and never under another name.
"""

import ast
import dataclasses
import importlib
import inspect
from abc import ABC
from collections.abc import Iterator
from typing import Any

import pytest

SEED = {
    "lk.common.dataset.backends.base": """
class DatasetBackend(ABC):
    def write(self, key: str, value: Any, timestamp: Optional[float] = None) -> None: ...
    def read(self, key: str, index: Optional[int] = None) -> Any: ...
    def keys(self): ...
    def __len__(self): ...
    def get_timestamps(self): ...
    def open(self): ...
    def close(self): ...
    def flush(self): ...
    def __enter__(self): ...
""",
    "lk.common.dataset.backends.memory": """
class MemoryBackend(DatasetBackend):
    def __init__(self, path: Optional[Path] = None, **kwargs): ...
    def write(self, key: str, value: Any, timestamp: Optional[float] = None) -> None: ...
    def get_data_dict(self): ...
""",
    "lk.common.dataset.backends.pickle_backend": """
class PickleBackend(DatasetBackend):
    def __init__(self, path: Path, mode: str = 'write', **kwargs): ...
    def open(self) -> None: ...
    def flush(self) -> None: ...
""",
    "lk.common.dataset.dataset": """
class Dataset:
    def __init__(self, backend: DatasetBackend): ...
    def write(self, key: str, value: Any, timestamp: Optional[float] = None) -> None: ...
    def read(self, key: str, index: Optional[int] = None) -> Any: ...
    @classmethod
    def create(cls, backend: str = 'memory', path: Optional[Path] = None, **kwargs): ...
    @classmethod
    def load(cls, path: Path, backend: Optional[str] = None, **kwargs): ...
    def __getitem__(self, key): ...
    def to_dict(self): ...
    @classmethod
    def from_dict(cls, data): ...
""",
    "lk.common.dataset.recorder": """
class DataRecorder(Component):
    class Config:
        sample_every_n: int = 1
        max_samples: Optional[int] = None
        auto_timestamp: bool = True
        use_ring_buffer: bool = False
        ring_buffer_size: int = 1000
        auto_flush: bool = False
        flush_every_n: int = 100
    def __init__(self, dataset, name=None, node=None, config=None): ...
    def add_input(self, port_name: str, msg_type: type[Msg]) -> InputPort: ...
    def record(self, key: str, value: Any, timestamp: Optional[float] = None) -> bool: ...
    def get_stats(self): ...
""",
    "lk.common.dataset.playback": """
class DataPlayback(Component):
    class Config:
        rate: float = 1.0
        loop: bool = False
        start_offset: float = 0.0
        use_recorded_timestamps: bool = True
        rtf: Optional[float] = None
        auto_play: bool = False
    def __init__(self, dataset, name=None, node=None, config=None): ...
    def _create_output_ports(self) -> None: ...
    def play_realtime(self, rate: Optional[float] = None, blocking: bool = True): ...
""",
    "lk.common.dataset.diff": """
class DiffResult:
    keys_match: bool
    timestamps_match: bool
    values_match: bool
    missing_keys_in_b: list[str]
    extra_keys_in_b: list[str]
    key_diffs: dict[str, 'KeyDiff']
    def summary(self) -> str: ...
class KeyDiff: ...
def diffdiff(dataset_a: Dataset,
            dataset_b: Dataset,
            tol: float = 1e-6,
            check_timestamps: bool = True,
            timestamp_tol: float = 1e-3) -> DiffResult: ...
def compare_values(val_a: Any, val_b: Any, tol: float = 1e-6): ...
""",
    "lk.common.dataset.viz": """
def plot_histogram(dataset: Dataset, key: str, bins: int = 50,
                  title: Optional[str] = None, show: bool = True) -> None: ...
def plot_heatmap(dataset1: Dataset, dataset2: Dataset, key: str,
                title: Optional[str] = None, show: bool = True) -> None: ...
def plot_timeseries(dataset: Dataset, keys: Optional[list[str]] = None,
                   title: Optional[str] = None, show: bool = True) -> None: ...
def plot_comparison(dataset1: Dataset, dataset2: Dataset, key: str,
                   labels: tuple[str, str] = ('Dataset 1', 'Dataset 2'),
                   title: Optional[str] = None, show: bool = True) -> None: ...
""",
    "lk.utils.prompt": """
class Prompt:
    target_language: str
    input_spec: dict[str, type]
    output_spec: dict[str, type]
    description: str = ""
    source_code: Optional[str] = None
    component_name: Optional[str] = None
    api_docs: dict[str, str] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    dataset_path: Optional[Path] = None
    dependencies: list[str] = field(default_factory=list)
    build_instructions: Optional[str] = None
    def to_markdown(self) -> str: ...
def create_prompt(component: Optional[Any] = None,
                 target_language: str = 'cpp',
                 input_spec: Optional[dict[str, type]] = None,
                 output_spec: Optional[dict[str, type]] = None,
                 **kwargs) -> Prompt: ...
def send_prompt(prompt: Prompt, method: str = 'clipboard') -> None: ...
""",
}

#: What the description exports from `lk.common`.
EXPORTED = [
    "Component", "Config", "ConnectionGraph", "Node", "Port", "System", "Dataset", "DataRecorder",
    "DataPlayback", "diffdiff", "assert_datasets_equal",
]  # fmt: skip

EMPTY = inspect.Parameter.empty


def names(body: list[ast.stmt], owner: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield f"{owner}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, f"{owner}.{node.name}")


SHOWN = {
    name: (module, node)
    for module, text in SEED.items()
    for name, node in names(ast.parse(text).body, module)
}


def ours(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.removeprefix(f"{module}.").split("."):
        found = getattr(found, part)
    return found


def default(node: ast.expr | None) -> Any:
    return EMPTY if node is None else ast.literal_eval(node)


def parameters(node: ast.FunctionDef) -> list[tuple[str, Any]]:
    arguments = node.args.args
    defaults = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    return [(a.arg, default(d)) for a, d in zip(arguments, defaults, strict=True)]


@pytest.mark.parametrize("name", [n for n, (_, d) in SHOWN.items() if isinstance(d, ast.FunctionDef)])
def test_a_function_takes_what_it_took(name: str) -> None:
    module, node = SHOWN[name]
    assert isinstance(node, ast.FunctionDef)
    signature = inspect.signature(ours(module, name))
    taken = [(p.name, p.default) for p in signature.parameters.values() if p.kind != p.VAR_KEYWORD]
    wanted = parameters(node)
    if any(isinstance(d, ast.Name) and d.id == "classmethod" for d in node.decorator_list):
        wanted = wanted[1:]
    assert taken[: len(wanted)] == wanted
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    kinds = [p.kind for p in signature.parameters.values()]
    assert all(kind is positional for kind in kinds[: len(wanted)])
    # What is new at the end can be left out.
    more = list(signature.parameters.values())[len(wanted) :]
    assert all(p.default is not EMPTY or p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in more)
    assert node.args.kwarg is None or any(p.kind is p.VAR_KEYWORD for p in more)


@pytest.mark.parametrize("name", [n for n, (_, d) in SHOWN.items() if isinstance(d, ast.ClassDef)])
def test_a_class_has_the_fields_that_it_had(name: str) -> None:
    module, node = SHOWN[name]
    assert isinstance(node, ast.ClassDef)
    cls = ours(module, name)
    assert isinstance(cls, type)
    wanted = [s for s in node.body if isinstance(s, ast.AnnAssign)]
    if not wanted:
        return
    fields = dataclasses.fields(cls)
    for shown, field in zip(wanted, fields, strict=False):
        assert isinstance(shown.target, ast.Name) and shown.target.id == field.name
        if isinstance(shown.value, ast.Call):
            assert field.default_factory is not dataclasses.MISSING
        elif shown.value is not None:
            assert field.default == default(shown.value)
    assert len(fields) >= len(wanted)
    # A field without a default among the new ones would break every call.
    for field in fields[len(wanted) :]:
        assert field.default is not field.default_factory or not field.init


@pytest.mark.parametrize("name", EXPORTED)
def test_what_was_exported_is_exported(name: str) -> None:
    assert getattr(importlib.import_module("lk.common"), name) is not None


def test_backends_are_abstract_and_components_are_components() -> None:
    from lk.common import Component, DataPlayback, DataRecorder
    from lk.common.dataset import DatasetBackend, MemoryBackend, PickleBackend

    assert issubclass(DatasetBackend, ABC) and inspect.isabstract(DatasetBackend)
    assert issubclass(MemoryBackend, DatasetBackend) and issubclass(PickleBackend, DatasetBackend)
    assert issubclass(DataRecorder, Component) and issubclass(DataPlayback, Component)


def test_the_calls_that_were_shown_run() -> None:
    """The workflow of the description, in its own words."""
    from lk.common import DataPlayback, DataRecorder, Dataset, assert_datasets_equal, diffdiff
    from lk.msgs.msg import Msg

    class Vec3(Msg):
        """Simple 3D vector message."""

        x: float = 0.0
        y: float = 0.0
        z: float = 0.0

    dataset = Dataset.create(backend="memory")
    recorder = DataRecorder(dataset, config=DataRecorder.Config(sample_every_n=1))
    recorder.add_input("pose", Vec3)
    recorder(pose=Vec3(1.0), speed=Vec3(y=2.0))
    assert recorder.get_stats()["total_samples"] == 2
    playback = DataPlayback(dataset, config=DataPlayback.Config(rate=100.0))
    playback.play_realtime(rate=100.0, blocking=True)
    assert playback.done
    result = diffdiff(dataset_a=dataset, dataset_b=dataset, tol=1e-6)
    assert result.keys_match and result.values_match and isinstance(result.summary(), str)
    assert_datasets_equal(dataset, Dataset.from_dict(dataset.to_dict()))
