"""Messages: dataclasses that flow through ports and into datasets."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from abc import ABCMeta
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar, Union, dataclass_transform

import numpy as np

from lk._annotations import unaliased

__all__ = ["Action", "Done", "Info", "Msg", "Observation", "Reward"]

M = TypeVar("M", bound="Msg")


class _MsgType(ABCMeta):
    """Makes a message a dataclass when somebody first asks for its fields.

    Whether ``@dataclass`` follows can't be known while a class is made, and a class
    can't be made a dataclass twice.
    """

    def __getattribute__(cls, name: str) -> Any:
        if name == "__dataclass_fields__":
            _complete(cls)
        return super().__getattribute__(name)


@dataclass_transform()
class Msg(metaclass=_MsgType):
    """Base of all messages.

    A subclass is a dataclass, whether it is decorated as one or not::

        class Vec3(Msg):
            x: float = 0.0
            y: float = 0.0
            z: float = 0.0

    Fields may be numbers, text, bytes, NumPy arrays, lists, other messages, or
    any of these or None. Decorate with ``@dataclass(...)`` where options such as
    ``frozen`` are wanted.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        _complete(cls)
        return super().__new__(cls)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, nested messages as dictionaries, in their order.

        Arrays stay arrays: they are copied, and so is every list.
        """
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls: type[M], data: collections.abc.Mapping[str, Any]) -> M:
        """The message with these fields, converted to their types.

        Dictionaries become nested messages, lists arrays where the field is one,
        whole numbers floats, and values members of an enum. Fields with a default
        may be left out.

        Raises:
            TypeError: for a field that there isn't, one without a default that is
                missing, or a value that its type can't be made of.
        """
        from lk._kinds import _hints

        hints = _hints(cls)
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for name in data:
            if name not in fields:
                known = ", ".join(fields) or "none"
                raise TypeError(f"{cls.__name__} has no field {name!r}; it has {known}")
        given = {
            name: _converted(hints.get(name, Any), value, f"{cls.__name__}.{name}")
            for name, value in data.items()
        }
        for f in fields.values():
            required = f.default is f.default_factory is dataclasses.MISSING
            if f.init and required and f.name not in given:
                raise TypeError(f"{cls.__name__}.{f.name} is missing and has no default")
        message = cls(**{name: value for name, value in given.items() if fields[name].init})
        for name, value in given.items():
            if not fields[name].init:
                object.__setattr__(message, name, value)
        return message


def _complete(cls: type) -> None:
    """Makes a subclass of Msg a dataclass, unless it is one; its bases come first."""
    if cls is Msg or "__dataclass_fields__" in cls.__dict__:
        return
    params = getattr(cls, "__dataclass_params__", None)
    # An equality that somebody wrote is kept; one that was made for the fields of
    # a base doesn't know those of this class.
    definer = next(base for base in cls.__mro__ if "__eq__" in base.__dict__)
    made = getattr(definer.__dict__.get("__dataclass_params__"), "eq", False)
    frozen = params is not None and params.frozen
    dataclass(frozen=frozen, eq=made or definer is object)(cls)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return value


def _refuse(hint: Any, value: Any, path: str) -> TypeError:
    name = getattr(hint, "__name__", str(hint))
    return TypeError(f"{path} is a {name}, which can't be made of {value!r:.80}")


def _converted(hint: Any, value: Any, path: str) -> Any:
    """The value as the type of a field has it."""
    hint = unaliased(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, TypeVar) or origin is typing.Literal:
        return value
    if origin is typing.Annotated:
        return _converted(args[0], value, path)
    if origin is Union or origin is types.UnionType:
        return _any_of(args, value, path)
    target = origin or hint
    if not isinstance(target, type):
        return value
    if target is type(None):
        if value is None:
            return None
        raise _refuse(hint, value, path)
    if target is np.ndarray:
        return _array(args, value, path)
    if issubclass(target, collections.abc.Mapping) and isinstance(value, collections.abc.Mapping):
        item = args[1] if len(args) == 2 else Any
        return {key: _converted(item, v, f"{path}[{key!r}]") for key, v in value.items()}
    if issubclass(target, tuple) and isinstance(value, (list, tuple)):
        return _tuple(target, args, value, path)
    if issubclass(target, (list, set, frozenset, collections.abc.Sequence)) and isinstance(
        value, (list, tuple, set, frozenset, np.ndarray)
    ):
        item = args[0] if args else Any
        items = [_converted(item, v, f"{path}[{n}]") for n, v in enumerate(value)]
        return target(items) if target in (set, frozenset) else items
    return _scalar(target, value, path)


def _scalar(target: type, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(target) or issubclass(target, Msg):
        return _message(target, value, path)
    if isinstance(value, target) and not (target is int and isinstance(value, bool)):
        return value
    if issubclass(target, enum.Enum):
        try:
            members: dict[Any, Any] = dict(target.__members__)
            return members[value] if value in members else target(value)
        except (KeyError, TypeError, ValueError) as error:
            raise _refuse(target, value, path) from error
    if target is float and isinstance(value, (int, np.integer, np.floating)):
        return float(value)
    if target is int and isinstance(value, (bool, np.integer)):
        return int(value)
    if target is int and isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    if target is bool and isinstance(value, (np.bool_, int)) and value in (0, 1):
        return bool(value)
    if target is bytes and isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if issubclass(target, np.generic) and isinstance(value, (bool, int, float, np.generic)):
        return target(value)
    raise _refuse(target, value, path)


def _message(target: type, value: Any, path: str) -> Any:
    if isinstance(value, target):
        return value
    if not isinstance(value, collections.abc.Mapping):
        raise _refuse(target, value, path)
    if issubclass(target, Msg):
        return target.from_dict(value)
    from lk._kinds import _hints

    hints = _hints(target)
    return target(**{k: _converted(hints.get(k, Any), v, f"{path}.{k}") for k, v in value.items()})


def _any_of(args: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in args:
        return None
    # What already is one of the types stays what it is: 1 in `int | float`.
    for hint in args:
        target = typing.get_origin(hint) or hint
        if isinstance(target, type) and type(value) is target:
            return _converted(hint, value, path)
    refusal = None
    for hint in args:
        try:
            return _converted(hint, value, path)
        except TypeError as error:
            refusal = error
    raise TypeError(f"{path} can be made of none of its types from {value!r:.80}") from refusal


def _tuple(target: type, args: tuple[Any, ...], value: Any, path: str) -> Any:
    if hasattr(target, "_fields"):
        return target(*value)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_converted(args[0], v, f"{path}[{n}]") for n, v in enumerate(value))
    if not args:
        return tuple(value)
    if len(args) != len(value):
        raise TypeError(f"{path} has {len(args)} elements, and {len(value)} were given")
    pairs = enumerate(zip(args, value, strict=True))
    return tuple(_converted(a, v, f"{path}[{n}]") for n, (a, v) in pairs)


def _array(args: tuple[Any, ...], value: Any, path: str) -> np.ndarray[Any, Any]:
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, (list, tuple, int, float, complex, np.generic)):
        raise _refuse(np.ndarray, value, path)
    kinds = typing.get_args(args[1]) if len(args) == 2 else ()
    dtype = kinds[0] if kinds and isinstance(kinds[0], type) else None
    try:
        made = np.asarray(value, dtype=dtype)
        whole = made.dtype.kind not in "biu" or np.array_equal(made, np.asarray(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{path}: no array can be made of {value!r:.80}") from error
    if not whole:
        raise TypeError(f"{path}: {made.dtype} does not hold {value!r:.80}")
    return made


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b))
    return bool(a == b)


class _ArrayMsg(Msg):
    """A message whose fields may be arrays, compared element by element."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [f.name for f in dataclasses.fields(self)]
        return all(_equal(getattr(self, n), getattr(other, n)) for n in names)

    __hash__ = None  # type: ignore[assignment]


@dataclass(eq=False)
class Observation(_ArrayMsg):
    """What an agent sees.

    ``shape`` and ``dtype`` (NumPy's name of it) are those of ``data`` where it is
    an array and they aren't given.
    """

    data: Any
    shape: tuple[int, ...] | None = None
    dtype: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.data, (np.ndarray, np.generic)):
            if self.shape is None:
                self.shape = tuple(self.data.shape)
            if self.dtype is None:
                self.dtype = str(self.data.dtype)


@dataclass(eq=False)
class Action(_ArrayMsg):
    """What an agent does, and the space of what it may do."""

    data: Any
    action_space: Any = None


@dataclass
class Reward(Msg):
    """How good the last step was."""

    value: float


@dataclass
class Done(Msg):
    """Whether the episode has ended; ``truncated`` where it was cut off."""

    value: bool
    truncated: bool = False


@dataclass(eq=False)
class Info(_ArrayMsg):
    """Whatever else there is to say, by name."""

    data: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def get(self, key: str, default: Any = None) -> Any:
        """What is there under a name, or ``default``."""
        return self.data.get(key, default)
