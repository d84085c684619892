"""Nodes: components that run together."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lk.common.component import Component
from lk.common.config import make_config

__all__ = ["ExecutionMode", "Node", "NodeConfig"]


class ExecutionMode(enum.Enum):
    """When the components of a node run."""

    #: In each step of the system.
    SEQUENTIAL = "sequential"
    #: At the node's own rate, in the system's time: no more often than the system steps.
    RATE = "rate"
    #: When a value has come to one of their inputs.
    ON_DATA = "on_data"


@dataclass
class NodeConfig:
    """How the components of a node run; ``rate_hz`` belongs to the mode ``RATE``."""

    execution_mode: ExecutionMode = ExecutionMode.SEQUENTIAL
    rate_hz: float | None = None

    def __post_init__(self) -> None:
        self.execution_mode = ExecutionMode(self.execution_mode)
        if (self.execution_mode is ExecutionMode.RATE) != (self.rate_hz is not None):
            raise ValueError("rate_hz belongs to ExecutionMode.RATE, and it to rate_hz")
        if self.rate_hz is not None and not self.rate_hz > 0.0:
            raise ValueError(f"rate_hz is {self.rate_hz}; it must be above 0")


class Node:
    """Some components, and how they run.

    Components are found among the attributes, also in lists and dictionaries there, or given this node when they are made.
    ``component_configs`` holds configurations by the name of the component, which
    :meth:`config_for` hands out.
    """

    def __init__(
        self,
        name: str,
        config: Any = None,
        component_configs: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.config = make_config(NodeConfig, config, name)
        self.component_configs: dict[str, Any] = dict(component_configs or {})
        self._components: list[Component] = []

    def config_for(self, name: str) -> Any:
        """The configuration for a component of that name; None without one."""
        return self.component_configs.get(name)

    def add_component(self, component: Component) -> Component:
        """Adds a component; with the configuration that waits for its name."""
        if component not in self._components:
            self._components.append(component)
            component.node = self
            if component.name in self.component_configs:
                kind = type(component).Config
                waiting = self.component_configs[component.name]
                component.config = make_config(kind, waiting, component.name)
        return component

    @property
    def components(self) -> list[Component]:
        """Its components: those added, then those among its attributes."""
        own = [value for name, value in vars(self).items() if name != "_components"]
        for value in list(spread(own)):
            if isinstance(value, Component):
                self.add_component(value)
        return list(self._components)

    def __repr__(self) -> str:
        return f"Node({self.name!r}, {self.components!r})"


def spread(parts: Iterable[Any]) -> Iterator[Any]:
    """What there is among attributes, and in lists and dictionaries there."""
    for part in parts:
        if isinstance(part, (list, tuple)):
            yield from part
        elif isinstance(part, dict):
            yield from part.values()
        else:
            yield part
