"""Ports: typed places where values enter and leave a component."""

from __future__ import annotations

import numbers
import types
import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union

import numpy as np

from lk._annotations import unaliased

if TYPE_CHECKING:
    from lk.common.graph import Connection
    from lk.msgs.random_msgs import RandomType

__all__ = ["InputPort", "OutputPort", "Port", "PortCollection"]

T = TypeVar("T")
P = TypeVar("P", bound="Port[Any]")


class Port(Generic[T]):
    """A place for values of one type, None until the first comes.

    ``owner`` is the component that it belongs to. ``msg_type`` may be any class, a
    union, or ``Any``; a whole number is taken for a float, as type checkers do.
    """

    def __init__(self, name: str, msg_type: type[T], owner: Any = None) -> None:
        self.name = name
        self.msg_type = msg_type
        self.owner = owner
        self.connections: list[Connection] = []
        #: How many values came, so that who reads can tell a new one.
        self.writes = 0
        #: What inputs are drawn from, where they are.
        self.dist: RandomType[T] | None = None
        self.has_value = False
        self._value: T | None = None

    @property
    def value(self) -> T | None:
        """The last value; None where there is none.

        Setting it to None clears the port.

        Raises:
            TypeError: for a value of another type, which is not taken.
        """
        return self._value

    @value.setter
    def value(self, value: T | None) -> None:
        if value is None and not accepts(self.msg_type, None):
            self.clear()
        else:
            self._put(value)

    def clear(self) -> None:
        """Takes the value away, as if none had come."""
        self._value, self.has_value = None, False

    def _put(self, value: Any) -> None:
        if not accepts(self.msg_type, value):
            raise TypeError(
                f"port {self.full_name!r} takes {type_name(self.msg_type)}, "
                f"not {type(value).__name__}: {value!r:.80}"
            )
        self._value, self.has_value = value, True
        self.writes += 1

    @property
    def full_name(self) -> str:
        """``component.port``, or just the port where nobody owns it."""
        owner = getattr(self.owner, "name", None)
        return f"{owner}.{self.name}" if owner else self.name

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}({self.name!r}, {type_name(self.msg_type)}, value={self._value!r:.40})"


class InputPort(Port[T]):
    """Where a component reads."""

    def read(self) -> T | None:
        """The last value; None where none has come yet."""
        return self._value

    def sample(self) -> T:
        """Draws a value from the distribution ``dist`` and puts it here.

        Raises:
            ValueError: where there is no distribution.
        """
        if self.dist is None:
            raise ValueError(
                f"port {self.full_name!r} has no distribution to draw from; "
                "hint: set port.dist to one of lk.msgs.random_msgs"
            )
        value: T = self.dist.sample()
        self._put(value)
        return value


class OutputPort(Port[T]):
    """Where a component writes."""

    def write(self, value: T) -> None:
        """Puts a value here. Connections carry it on when they transfer.

        Raises:
            TypeError: for a value of another type, which is not taken.
        """
        self._put(value)


class PortCollection(Generic[P]):
    """The inputs or outputs of a component, by name, in the order they came."""

    def __init__(self, owner: Any = None) -> None:
        self._owner = owner
        self._ports: dict[str, P] = {}

    def add_port(self, name: str, port: P) -> P:
        """Adds a port under a name; it belongs to this owner if to nobody yet.

        Raises:
            ValueError: where there is another port of that name.
        """
        if self._ports.get(name, port) is not port:
            raise ValueError(f"there is a port {name!r} already")
        self._ports[name] = port
        if port.owner is None:
            port.owner = self._owner
        return port

    def get_port(self, name: str) -> P:
        """The port of that name.

        Raises:
            KeyError: where there is none.
        """
        try:
            return self._ports[name]
        except KeyError:
            known = ", ".join(self._ports) or "none"
            raise KeyError(f"no port {name!r}; there are: {known}") from None

    def all_ports(self) -> dict[str, P]:
        """All ports by name, in a dictionary of its own."""
        return dict(self._ports)

    def __getattr__(self, name: str) -> P:
        # Copying and unpickling ask for attributes before there are any.
        ports = self.__dict__.get("_ports", {})
        if name in ports:
            return typing.cast(P, ports[name])
        known = ", ".join(ports) or "none"
        raise AttributeError(f"no port {name!r}; there are: {known}")

    def __getitem__(self, name: str) -> P:
        return self.get_port(name)

    def __contains__(self, name: object) -> bool:
        return name in self._ports

    def __iter__(self) -> Iterator[P]:
        return iter(list(self._ports.values()))

    def __len__(self) -> int:
        return len(self._ports)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._ports]

    def __repr__(self) -> str:
        return f"PortCollection({', '.join(map(repr, self._ports.values()))})"


#: What else is taken for a type, as type checkers and NumPy users expect.
_WIDER: Mapping[Any, tuple[type, ...]] = {
    float: (numbers.Real,),
    complex: (numbers.Complex,),
    int: (numbers.Integral,),
    bool: (np.bool_,),
}


def _members(hint: Any) -> tuple[Any, ...]:
    """The types that a type stands for: those of a union, or itself."""
    if hint is None:
        return (type(None),)
    hint = unaliased(hint)
    origin = typing.get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return tuple(m for arg in typing.get_args(hint) for m in _members(arg))
    if origin is typing.Annotated:
        return _members(typing.get_args(hint)[0])
    return (origin or hint,)


def accepts(msg_type: Any, value: object) -> bool:
    """Whether a port of this type takes this value."""
    for member in _members(msg_type):
        if member is Any or member is object or not isinstance(member, type):
            return True
        if isinstance(value, member):
            return True
        wider = _WIDER.get(member)
        if wider and isinstance(value, wider) and not isinstance(value, bool):
            return True
    return False


def flows_into(source: Any, target: Any) -> bool:
    """Whether all values of one type may go where another is expected."""
    targets = _members(target)
    if any(t is Any or t is object or not isinstance(t, type) for t in targets):
        return True

    def fits(member: Any) -> bool:
        if not isinstance(member, type):
            return True
        wider = tuple(w for t in targets for w in _WIDER.get(t, ()))
        return issubclass(member, (*targets, *wider))

    # What may be anything is checked value by value.
    return all(member is Any or member is object or fits(member) for member in _members(source))


def type_name(hint: Any) -> str:
    """A type as a person writes it."""
    return hint.__qualname__ if isinstance(hint, type) else str(hint).removeprefix("typing.")
