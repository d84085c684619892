"""Classes of values that are read: the one that was written, or a record."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import keyword
from functools import lru_cache
from typing import Any


class Record:
    """A message whose class isn't here: the same fields, by name.

    Made for messages of other programs, and for dataclasses whose module
    can't be imported. Two are equal where their types' names and all fields
    are, arrays by all their elements. A field whose name is a word of Python's
    is reached by `getattr(record, "else")`.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(_equal(a, b) for a, b in zip(vars(self).values(), vars(other).values()))

    __hash__ = None  # type: ignore[assignment]


def _init(self: Any, *values: object, **by_name: object) -> None:
    names = [field.name for field in dataclasses.fields(self)]
    given = dict(zip(names, values), **by_name)
    if len(values) > len(names) or set(given) != set(names):
        raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
    vars(self).update(given)


def _repr(self: object) -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
    return f"{type(self).__name__}({values})"


def _equal(a: object, b: object) -> bool:
    if hasattr(a, "dtype") or hasattr(b, "dtype"):
        import numpy as np

        return bool(np.array_equal(a, b))  # type: ignore[arg-type]
    return a == b


def class_for(path: str | None, type_name: str, names: list[str]) -> type:
    """The dataclass at `module:Class` where it has these fields, else a record."""
    found = _find(path) if path else None
    if isinstance(found, type) and dataclasses.is_dataclass(found):
        if [field.name for field in dataclasses.fields(found)] == list(names):
            return found
    return _record(type_name, tuple(names))


def enum_for(path: str) -> type | None:
    """The enum at `module:Class`, where it can be imported."""
    found = _find(path)
    return found if isinstance(found, type) and issubclass(found, enum.Enum) else None


def _find(path: str) -> object:
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception:  # Whatever a module does when imported: it can't be.
        return None
    return found


@lru_cache(maxsize=1024)
def _record(type_name: str, names: tuple[str, ...]) -> type:
    short = type_name.rpartition("/")[2]
    made: type
    if any(keyword.iskeyword(name) for name in names):
        # Python writes no method whose parameters have such names.
        annotations = {"__annotations__": dict.fromkeys(names, Any)}
        plain = type(short, (Record,), annotations | {"__init__": _init, "__repr__": _repr})
        made = dataclasses.dataclass(init=False, repr=False, eq=False)(plain)
    else:
        fields = [(name, Any) for name in names]
        made = dataclasses.make_dataclass(short, fields, bases=(Record,), eq=False)
    made.__doc__ = f"A message of type {type_name}."
    made.__module__ = __name__
    return made
