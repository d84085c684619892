"""Components: code and state between typed ports."""

from __future__ import annotations

import enum
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from lk.common.config import make_config
from lk.common.dx import Dx
from lk.common.port import InputPort, OutputPort, PortCollection

if TYPE_CHECKING:
    from lk.common.node import Node

__all__ = ["Component", "ComponentLifecycleMixin", "LifecycleComponent", "LifecycleState"]


@dataclass
class NoSettings:
    """The configuration of components that have none."""


class Component:
    """Something with inputs, outputs and a ``forward``.

    Ports are found among the attributes, whenever they are set; a port that is an
    attribute of the class is copied for each instance::

        class Gain(Component):
            @dataclass
            class Config:
                k: float = 2.0

            x = InputPort("x", float)
            y = OutputPort("y", float)

            def forward(self, x: float) -> float:
                return self.config.k * x

    Calling the component calls ``forward``. :meth:`step` is what a system does.
    ``log`` is its logger, ``dx`` what it says of its own health.
    """

    #: A nested dataclass of settings, in components that have any.
    Config: ClassVar[type[Any]] = NoSettings

    inputs: PortCollection[InputPort[Any]]
    outputs: PortCollection[OutputPort[Any]]

    def __init__(self, name: str | None = None, node: Node | None = None, config: Any = None):
        self.name = name or type(self).__name__
        self.inputs = PortCollection(self)
        self.outputs = PortCollection(self)
        self.config: Any = make_config(type(self).Config, config, self.name)
        self.log = logging.getLogger(f"lk.{self.name}")
        self.dx = Dx()
        self.node = node
        self._discover_ports()
        if node is not None:
            node.add_component(self)

    @property
    def in_(self) -> PortCollection[InputPort[Any]]:
        """The inputs."""
        return self.inputs

    @property
    def out(self) -> PortCollection[OutputPort[Any]]:
        """The outputs."""
        return self.outputs

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if isinstance(value, (InputPort, OutputPort)) and "outputs" in self.__dict__:
            self._add(value)

    def _discover_ports(self) -> None:
        """Adds all ports among the attributes, those of the class first."""
        for cls in reversed(type(self).__mro__):
            for attribute, port in vars(cls).items():
                # What a subclass or the instance has put in its place goes before.
                if inspect.getattr_static(self, attribute, None) is not port:
                    continue
                if isinstance(port, (InputPort, OutputPort)):
                    own = type(port)(port.name, port.msg_type, owner=self)
                    own.dist = port.dist
                    setattr(self, attribute, own)
        for port in list(vars(self).values()):
            if isinstance(port, (InputPort, OutputPort)):
                self._add(port)

    def _add(self, port: InputPort[Any] | OutputPort[Any]) -> None:
        # Another component's port that is kept at hand is not this one's.
        if port.owner not in (None, self):
            return
        if isinstance(port, InputPort):
            self.inputs.add_port(port.name, port)
        else:
            self.outputs.add_port(port.name, port)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the component does.

        Either it takes values and returns values, or it reads and writes the ports
        itself.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def step(self) -> bool:
        """Runs ``forward`` once on what is at the inputs; whether it ran.

        Parameters of ``forward`` are the inputs of the same name, or, where no name
        is that of an input, the inputs in their order. What it returns goes to the
        outputs: a dictionary by name, a tuple in order, anything else to the only
        one; None to none. It doesn't run while an input that it needs has no value.

        Raises:
            TypeError: where what it returns fits no output.
        """
        arguments = self._arguments()
        if arguments is None:
            self.dx.count("waited_for_inputs")
            return False
        self._deliver(self.forward(*arguments[0], **arguments[1]))
        self.dx.count("steps")
        self.dx.alive()
        return True

    def next_time(self) -> float | None:
        """When it wants to run next, in seconds of recorded time.

        Sources that have times of their own say so; None for all others, and at the
        end. Without a rate, a system goes from one such time to the next.
        """
        return None

    def _system_step(self, now: float | None) -> bool:
        """What a system calls in each of its steps, at a time in seconds."""
        return self.step()

    def _arguments(self) -> tuple[list[Any], dict[str, Any]] | None:
        parameters = _parameters(self.forward)
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        values = {port.name: port.read() for port in self.inputs}
        # None is a value too, where a port takes it.
        waiting = {port.name for port in self.inputs if not port.has_value}
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            return None if waiting else ([], values)
        by_name = {p.name: values[p.name] for p in named if p.name in values}
        if not by_name:
            needed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            taken = list(values)
            if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
                taken = taken[: len(needed)]
            required = sum(p.default is p.empty for p in needed)
            if len(taken) < required:
                raise TypeError(
                    f"forward of {self.name!r} needs {required} values and there are "
                    f"{len(taken)} inputs"
                )
            return None if waiting & set(taken) else ([values[n] for n in taken], {})
        defaults = {p.name for p in named if p.default is not p.empty}
        given = {n: v for n, v in by_name.items() if n not in waiting or n not in defaults}
        return None if waiting & set(given) else ([], given)

    def _deliver(self, result: Any) -> None:
        if result is None:
            return
        outputs = list(self.outputs)
        if isinstance(result, Mapping) and all(name in self.outputs for name in result):
            for name, value in result.items():
                self.outputs.get_port(name).write(value)
        elif len(outputs) == 1:
            outputs[0].write(result)
        elif isinstance(result, tuple) and len(result) == len(outputs):
            for port, value in zip(outputs, result, strict=True):
                port.write(value)
        else:
            names = ", ".join(port.name for port in outputs) or "none"
            raise TypeError(
                f"forward of {self.name!r} returned {type(result).__name__}, which fits "
                f"its outputs ({names}) neither by name nor by number"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


#: What functions take: looking it up costs more than most steps.
_known: WeakKeyDictionary[Any, tuple[inspect.Parameter, ...]] = WeakKeyDictionary()


def _parameters(forward: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    function = getattr(forward, "__func__", forward)
    try:
        known = _known.get(function)
        if known is None:
            known = _known[function] = tuple(inspect.signature(forward).parameters.values())
    except TypeError:
        # Not all that can be called can be remembered.
        known = tuple(inspect.signature(forward).parameters.values())
    return known


class LifecycleState(enum.Enum):
    """Where a component stands."""

    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FINALIZED = "finalized"


_S = LifecycleState


class ComponentLifecycleMixin:
    """The stages of a component's life.

    ``configure``, ``activate``, ``deactivate`` and ``shutdown`` call the hook of
    their name; where it raises, the state stays what it was. ``destroy`` ends
    everything from any state, by way of ``deactivate`` and ``shutdown`` as needed.
    """

    _state: LifecycleState = LifecycleState.UNCONFIGURED

    @property
    def state(self) -> LifecycleState:
        """Where it stands."""
        return self._state

    def configure(self) -> None:
        """From unconfigured to inactive. RuntimeError from another state."""
        self._go("configure", (_S.UNCONFIGURED,), _S.INACTIVE, self.on_configure)

    def activate(self) -> None:
        """From inactive to active. RuntimeError from another state."""
        self._go("activate", (_S.INACTIVE,), _S.ACTIVE, self.on_activate)

    def deactivate(self) -> None:
        """From active to inactive. RuntimeError from another state."""
        self._go("deactivate", (_S.ACTIVE,), _S.INACTIVE, self.on_deactivate)

    def shutdown(self) -> None:
        """From any state but the last to finalized. RuntimeError from there."""
        states = (_S.UNCONFIGURED, _S.INACTIVE, _S.ACTIVE)
        self._go("shutdown", states, _S.FINALIZED, self.on_shutdown)

    def destroy(self) -> None:
        """Ends it, from any state; a second time it does nothing."""
        if self._state is _S.ACTIVE:
            self.deactivate()
        if self._state is not _S.FINALIZED:
            self.shutdown()
            self.on_destroy()

    def on_configure(self) -> None:
        """Opens what it needs."""

    def on_activate(self) -> None:
        """Begins."""

    def on_deactivate(self) -> None:
        """Pauses."""

    def on_shutdown(self) -> None:
        """Closes what it opened."""

    def on_destroy(self) -> None:
        """Lets go of everything."""

    def _go(
        self,
        transition: str,
        states: tuple[LifecycleState, ...],
        to: LifecycleState,
        hook: Callable[[], object],
    ) -> None:
        if self._state not in states:
            name = getattr(self, "name", type(self).__name__)
            wanted = " or ".join(state.value for state in states)
            raise RuntimeError(
                f"{name!r} can't {transition}: it is {self._state.value}, and must be {wanted}"
            )
        hook()
        self._state = to


class LifecycleComponent(ComponentLifecycleMixin, Component):
    """A component that is configured and activated before it steps.

    Raises:
        RuntimeError: where :meth:`step` is called and it isn't active.
    """

    def step(self) -> bool:
        if self._state is not _S.ACTIVE:
            raise RuntimeError(
                f"{self.name!r} can't step: it is {self._state.value}, and must be active"
            )
        return super().step()
