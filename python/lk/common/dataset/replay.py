"""What a component does with recorded inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lk.common.component import Component
from lk.common.dataset.dataset import Dataset
from lk.common.dataset.playback import DataPlayback

__all__ = ["input_names", "replay"]


def replay(
    component: Component | Callable[..., Any],
    inputs: Dataset,
    dataset: Dataset | None = None,
    record_inputs: bool = False,
) -> Dataset:
    """Steps a component through recorded inputs, tick by tick, and records its outputs.

    Keys are ports: the component's inputs, or a function's parameters; keys that it
    doesn't have are left out. In each tick it gets what came, and of other inputs the
    last value; it doesn't run before it has all that it needs. Outputs are recorded at
    the time of their tick, a function's under ``output`` or the keys of the dictionary
    that it returns.

    Args:
        dataset: where it is recorded; one in memory where none is given.
        record_inputs: whether the inputs that it has are recorded too.

    Returns:
        The dataset.

    Raises:
        KeyError: where an input has no key. What the component raises comes through,
            with a note of the tick.
    """
    target = dataset if dataset is not None else Dataset.create()
    runner = _ports if isinstance(component, Component) else _function
    names, step = runner(component)
    known = list(inputs.keys())
    for name, required in names.items():
        if required and name not in known:
            raise KeyError(f"no key for the input {name!r}; there are: {', '.join(known) or 'none'}")
    keys = [name for name in names if name in known]
    playback = DataPlayback(inputs, config=DataPlayback.Config(keys=keys))
    tick = 0

    def on_tick(time_s: float, values: dict[str, Any]) -> None:
        if record_inputs:
            for key, value in values.items():
                target.write(key, value, timestamp_ns=playback.time_ns)
        try:
            results = step(values, playback.get_current_values(), time_s)
        except Exception as error:
            error.add_note(f"in tick {tick}, at {time_s} s")
            raise
        for key, value in results.items():
            if record_inputs and key in keys:
                raise ValueError(f"{key!r} is an input and an output: they can't share a key")
            target.write(key, value, timestamp_ns=playback.time_ns)

    playback.on_tick = on_tick
    while playback.step():
        tick += 1
    return target


def input_names(component: Component | Callable[..., Any]) -> list[str]:
    """The inputs of a component, or the parameters of a function."""
    runner = _ports if isinstance(component, Component) else _function
    return list(runner(component)[0])


#: Takes what came in a tick, what there is by then, and its time in seconds; gives
#: outputs by key.
Step = Callable[[dict[str, Any], dict[str, Any], float], dict[str, Any]]


def _ports(component: Any) -> tuple[dict[str, bool], Step]:
    def step(fresh: dict[str, Any], _: dict[str, Any], time_s: float) -> dict[str, Any]:
        for name, value in fresh.items():
            component.inputs.get_port(name).value = value
        before = {port.name: port.writes for port in component.outputs}
        component._system_step(time_s)
        return {
            port.name: port.value
            for port in component.outputs
            if port.has_value and port.writes != before[port.name]
        }

    # An input may have a default in forward, or never be looked at.
    return {port.name: False for port in component.inputs}, step


def _function(function: Any) -> tuple[dict[str, bool], Step]:
    parameters = inspect.signature(function).parameters.values()
    names = {
        p.name: p.default is p.empty
        for p in parameters
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }

    def step(_: dict[str, Any], values: dict[str, Any], _time_s: float) -> dict[str, Any]:
        if any(required and name not in values for name, required in names.items()):
            return {}
        result = function(**values)
        if result is None:
            return {}
        return dict(result) if isinstance(result, Mapping) else {"output": result}

    return names, step
