"""`@lk.record(dataset)`: what a function or a component gets and gives."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from lk.common.dataset.dataset import Dataset
from lk.common.port import PortCollection

T = TypeVar("T", bound=Callable[..., Any])


@dataclass
class RecordCost:
    """What recording has cost so far: `decorated.lk_cost`."""

    calls: int = 0
    seconds: float = 0.0

    @property
    def seconds_per_call(self) -> float:
        """What a call took longer on average."""
        return self.seconds / self.calls if self.calls else 0.0


def record(dataset: Dataset, name: str | None = None) -> Callable[[T], T]:
    """Records the inputs and outputs of each call.

    On a function or a method: each argument under `NAME.in.ARGUMENT`, what is
    returned under `NAME.out`, NAME being its own unless given. On a class with
    `forward`, `step` or `__call__`: that method of its objects. A call that
    raises has inputs alone. Times are those of the call, the same for all.

    A component whose method takes nothing reads and writes its ports: what is
    at its inputs is recorded under `NAME.in.PORT`, and what it writes under
    `NAME.out.PORT`.

    >>> dataset = Dataset.create()
    >>> @record(dataset)
    ... def half(x: float) -> float:
    ...     return x / 2
    >>> half(3.0)
    1.5
    >>> dataset.read("half.in.x"), dataset.read("half.out")
    ([3.0], [1.5])
    """

    def decorate(target: T) -> T:
        if isinstance(target, type):
            _class(target, dataset, name or target.__name__)
            return cast(T, target)
        return _function(target, dataset, name or target.__name__)

    return decorate


def _class(cls: type, dataset: Dataset, name: str) -> None:
    for method in ("forward", "step", "__call__"):
        found = cls.__dict__.get(method)
        if found is not None:
            wrapped = _function(found, dataset, name)
            setattr(cls, method, wrapped)
            cls.lk_cost = wrapped.lk_cost  # type: ignore[attr-defined]
            return
    raise TypeError(f"{cls.__name__} has no method forward, step or __call__ to record")


def _function(function: T, dataset: Dataset, name: str) -> T:
    signature = inspect.signature(function)
    is_method = next(iter(signature.parameters), "") == "self"
    by_ports = is_method and len(signature.parameters) == 1
    cost = RecordCost()

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        now = time.time_ns()
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[int(is_method) :])
        owner = args[0] if by_ports and args else None
        ports = getattr(owner, "inputs", None), getattr(owner, "outputs", None)
        inputs, outputs = (p if isinstance(p, PortCollection) else () for p in ports)
        given.update({port.name: port.value for port in inputs if port.has_value})
        before = [port.writes for port in outputs]
        for argument, value in given.items():
            dataset.write(f"{name}.in.{argument}", value, timestamp_ns=now)
        spent = time.perf_counter() - start
        result = function(*args, **kwargs)
        start = time.perf_counter()
        if result is not None:
            dataset.write(f"{name}.out", result, timestamp_ns=now)
        for port, writes in zip(outputs, before):
            if port.writes != writes and port.has_value:
                dataset.write(f"{name}.out.{port.name}", port.value, timestamp_ns=now)
        cost.calls += 1
        cost.seconds += spent + time.perf_counter() - start
        return result

    recorded.lk_cost = cost  # type: ignore[attr-defined]
    return recorded  # type: ignore[return-value]
