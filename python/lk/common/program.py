"""A program in another process as a component: a port in C++ or Rust, or Python apart."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from lk import _lk
from lk._kinds import kind_of_class
from lk.common.component import Component, ComponentLifecycleMixin, LifecycleState
from lk.common.port import InputPort, OutputPort, type_name
from lk.errors import SchemaError, hinted

if TYPE_CHECKING:
    from types import TracebackType

    from lk.common.node import Node

__all__ = ["Program"]


class Program(ComponentLifecycleMixin, Component):
    """A component that an ``lk.toml`` describes and a program of it does.

    It has the ports of the ``lk.toml``, ``[state]`` among the outputs, and runs in a
    system as others do. ``configure`` builds the program where there is a build command,
    starts it and waits until it is ready; ``shutdown`` says bye and waits for its end;
    the first :meth:`step` does what is left to do of the former. Each step sends the
    inputs that came since the last one, and waits for the answer without the GIL, as
    long as ``limits.tick_s`` says; Ctrl-C ends the wait and the program::

        with lk.Program("examples/pd_controller", "cpp", types={"state": State}) as port:
            port(State(0.5, 0.0))

    A step is a tick of the program whether an input came or not: what it does without a
    new one is its own matter. The program runs with your rights.

    Raises:
        FileNotFoundError: where there is no lk.toml.
        SchemaError: for a class that has other fields than its port.
        CandidateError: where the program doesn't build, start or answer, ends, or its
            component raised; a note has the end of its log. After the latter alone it
            can be stepped again.
    """

    def __init__(
        self,
        path: str | Path,
        implementation: str = "candidate",
        name: str | None = None,
        node: Node | None = None,
        *,
        types: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Args:
            path: the ``lk.toml``, or its folder.
            implementation: ``reference``, ``candidate`` where there is one, or its name.
            name: that of the component in ``lk.toml`` otherwise.
            types: dataclasses of ports by name. Of other ports the values are
                ``lk.Record`` with the fields of the type, or plain numbers, text and
                arrays where the type holds one field ``data`` alone. A record can't be
                connected with a dataclass.
        """
        self._native = _lk.Program.load(Path(path), implementation, name)
        super().__init__(name=name or self._native.component, node=node)
        classes = dict(types or {})
        self._input_kinds: list[_lk.Kind] = []
        self._output_kinds: list[_lk.Kind] = []
        for key, kind in self._native.inputs():
            kind, cls = _chosen(key, kind, classes)
            self._input_kinds.append(kind)
            self.inputs.add_port(key, InputPort(key, cls, owner=self))
        for key, kind in self._native.outputs():
            kind, cls = _chosen(key, kind, classes)
            self._output_kinds.append(kind)
            self.outputs.add_port(key, OutputPort(key, cls, owner=self))
        unknown = [key for key in classes if key not in self.inputs and key not in self.outputs]
        if unknown:
            known = ", ".join([*self.inputs.all_ports(), *self.outputs.all_ports()])
            raise KeyError(f"no port {unknown[0]!r} for types; there are: {known}")
        self._takes = list(self.inputs)
        self._gives = list(self.outputs)
        self._sent = [0] * len(self._takes)
        self._time_ns = 0
        _all.add(self)

    def step(self, timestamp: float | None = None) -> bool:
        """One tick of the program at a time in seconds; without one, at that of the last
        step, which is 0 at first. Outputs that it doesn't write keep their value.

        Raises:
            CandidateError: as the class says. RuntimeError: where it was deactivated or
            shut down. SchemaError: for a value that its port's type can't hold.
        """
        return self._system_step(timestamp)

    def _system_step(self, now: float | None) -> bool:
        if self._state is LifecycleState.UNCONFIGURED:
            self.configure()
            self.activate()
        if self._state is not LifecycleState.ACTIVE:
            raise RuntimeError(
                f"{self.name!r} can't step: it is {self._state.value}, and must be active"
            )
        fresh = [
            (n, kind, port.value)
            for n, (port, kind) in enumerate(zip(self._takes, self._input_kinds, strict=True))
            if port.has_value and port.writes != self._sent[n]
        ]
        time_ns = self._time_ns if now is None else _lk.to_ns(now)
        self._time_ns = max(self._time_ns, time_ns)
        written = self._native.step(time_ns, fresh, self._output_kinds)
        for n, _, _ in fresh:
            self._sent[n] = self._takes[n].writes
        for n, value in written:
            self._gives[n].write(value)
        self.dx.count("steps")
        self.dx.alive()
        return True

    def forward(self, *args: Any, **inputs: Any) -> Any:
        """Writes values to the inputs, in their order or by name, and steps.

        Returns:
            What the only output was written, None where it wasn't; of several outputs
            a dictionary of what was written.
        """
        if len(args) > len(self._takes):
            raise TypeError(f"{self.name!r} has {len(self._takes)} inputs, not {len(args)}")
        given = dict(zip((port.name for port in self._takes), args, strict=False))
        for key in inputs:
            if key in given or key not in self.inputs:
                what = "is given twice" if key in given else "is no input"
                raise TypeError(f"{key!r} {what} of {self.name!r}")
        for key, value in {**given, **inputs}.items():
            self.inputs.get_port(key).value = value
        before = [port.writes for port in self._gives]
        self.step()
        written = {
            port.name: port.value
            for port, writes in zip(self._gives, before, strict=True)
            if port.writes != writes
        }
        return written if len(self._gives) != 1 else written.get(self._gives[0].name)

    def reset(self) -> None:
        """Takes the program back to its beginning; times may begin anew. What lies at
        the inputs is sent again with the next step."""
        if self._state is LifecycleState.ACTIVE:
            self._native.reset()
        self._sent = [0] * len(self._takes)
        self._time_ns = 0

    def log_lines(self) -> list[str]:
        """The last lines that the program wrote to standard error, while it lives."""
        return self._native.log()

    @property
    def is_alive(self) -> bool:
        """Whether its process is there to be stepped."""
        return self._native.is_alive()

    def on_configure(self) -> None:
        self._native.start()

    def on_shutdown(self) -> None:
        self._native.end()

    def __enter__(self) -> Program:
        if self._state is LifecycleState.UNCONFIGURED:
            self.configure()
            self.activate()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.destroy()
            return
        # It is of no use any more, and what is raised says why.
        self._native.kill()
        self.destroy()


def _chosen(key: str, kind: _lk.Kind, classes: Mapping[str, Any]) -> tuple[_lk.Kind, Any]:
    """The kind and the class of a port's values."""
    cls = classes.get(key)
    if cls is None:
        return kind, kind.value_type
    chosen = kind_of_class(cls)
    if chosen.fingerprint() != kind.fingerprint():
        name, text, _ = kind.describe()
        raise hinted(
            SchemaError(f"{type_name(cls)} has other fields than port {key!r}, which is {name}"),
            f"that one's are:\n{text.strip()}",
        )
    return chosen, cls


_all: WeakSet[Program] = WeakSet()


def _end_all() -> None:
    for program in list(_all):
        # One that a thread still waits for can't be had.
        with suppress(RuntimeError):
            program._native.kill()


# A program that hangs would outlive Python.
atexit.register(_end_all)
