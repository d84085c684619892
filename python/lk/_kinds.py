"""Message types of Python classes, by their annotations, and of values."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import types
import typing
from typing import Annotated, Any, Union, get_args, get_origin
from weakref import WeakKeyDictionary

from lk._annotations import Dtype, Shape, unaliased
from lk._lk import Kind
from lk.errors import SchemaError, hinted

_FLOATS = ("float32", "float64")
_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
_NUMBERS = (*_INTEGERS, *_FLOATS, "bool")
_CONTAINERS: dict[type, str] = {
    list: "list",
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    collections.abc.Sequence: "list",
    collections.abc.MutableSequence: "list",
    collections.abc.Iterable: "list",
}
#: Integers up to which a float64 holds each.
_EXACT = 2**53


class _Open(Exception):
    """The annotation doesn't say the type: values must."""


_closed: WeakKeyDictionary[type, Kind] = WeakKeyDictionary()


def kind_of_values(values: list[Any], beside: list[Any] | None = None) -> Kind:
    """What all these values of a key are as messages, and those `beside` them.

    A dataclass is what its annotations say; where they leave it open (`Any`,
    an array without a dtype) and for every other value, all values together
    decide: an int beside floats is a float.

    Raises:
        SchemaError: naming the field that no message type holds.
    """
    found = {*map(type, values), *map(type, beside or ())}
    if len(found) == 1:
        (cls,) = found
        # Of an int the values decide whether it has a sign.
        if cls in _PLAIN and cls is not int:
            return typing.cast(Kind, _PLAIN[cls]())
        if dataclasses.is_dataclass(cls):
            known = _closed.get(cls)
            if known is not None:
                return known
    return _infer([*values, *beside] if beside else values, "", ())


def kind_of_class(cls: type) -> Kind:
    """What a dataclass is as a message, by its annotations alone.

    Raises:
        SchemaError: naming the field whose annotation leaves it open, or
            which no message type holds.
    """
    known = _closed.get(cls)
    if known is None:
        try:
            known = _record(cls, None, "", ())
        except _Open as open_field:
            raise hinted(
                SchemaError(f"field {open_field}: its annotation leaves the type open"),
                "annotate it with a type such as float, list[float] or NDArray[np.float64]",
            ) from None
    return known


def _refused(path: str, reason: str, hint: str) -> SchemaError:
    place = f"field {path}: " if path else ""
    error = SchemaError(f"{place}{reason}")
    hinted(error, hint)
    return error


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _record(cls: type, values: list[Any] | None, path: str, within: tuple[type, ...]) -> Kind:
    if cls in within:
        raise _refused(path, f"{cls.__name__} contains itself", "a message type can't be recursive")
    known = _closed.get(cls)
    if known is not None:
        return known
    hints = _hints(cls)
    fields = []
    closed = True
    for field in dataclasses.fields(cls):
        place = _join(path, field.name)
        annotation = hints.get(field.name, Any)
        try:
            kind = _of(annotation, None, place, (*within, cls))
        except _Open:
            if values is None:
                raise
            closed = False
            there = [getattr(value, field.name) for value in values if hasattr(value, field.name)]
            kind = _of(annotation, there, place, (*within, cls))
        fields.append((field.name, kind, False))
    kind = Kind.record(_type_name(cls), cls, fields)
    if closed:
        _closed[cls] = kind
    return kind


def _type_name(cls: type) -> str:
    name = getattr(cls, "__msg_name__", None)
    if isinstance(name, str):
        return name
    return f"lk/msg/{_pascal(cls.__name__)}"


def _pascal(text: str) -> str:
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in text).split()
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Key{name}"


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except Exception:
        # A class within a function may name others that only it can see.
        hints: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            scope = dict(vars(typing), **getattr(_module(base), "__dict__", {}))
            for name, text in base.__dict__.get("__annotations__", {}).items():
                try:
                    hints[name] = eval(text, scope) if isinstance(text, str) else text  # noqa: S307
                except Exception:
                    hints[name] = Any
        return hints


def _module(cls: type) -> object:
    import sys

    return sys.modules.get(cls.__module__)


def _of(annotation: Any, values: list[Any] | None, path: str, within: tuple[type, ...]) -> Kind:
    """The kind of an annotation; `values` are those that occur there."""
    plain = _PLAIN.get(annotation) if isinstance(annotation, type) else None
    if plain is not None:
        return typing.cast(Kind, plain())
    while hasattr(annotation, "__supertype__"):
        annotation = annotation.__supertype__
    annotation = unaliased(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(args[0], args[1:], values, path, within)
    if origin in (Union, types.UnionType):
        return _union(args, values, path, within)
    if origin in (typing.Final, typing.Required, typing.NotRequired):
        return _of(args[0], values, path, within)
    if origin in _CONTAINERS and args:
        return _container(_CONTAINERS[origin], args, values, path, within)
    if isinstance(annotation, type):
        if dataclasses.is_dataclass(annotation):
            return _record(annotation, values, path, within)
        if issubclass(annotation, enum.Enum):
            return _enum(annotation, path)
        _refuse_known(annotation, path)
    element = _numpy_element(annotation)
    if element is not None:
        return Kind.ndarray(element)
    scalar = _numpy_scalar(annotation)
    if scalar is not None:
        return Kind.scalar(scalar, annotation)
    if annotation is types.NoneType or annotation is None:
        return Kind.null()
    if values is None:
        raise _Open(path)
    return _infer(values, path, within)


_PLAIN: dict[type, Any] = {
    bool: Kind.bool,
    int: lambda: Kind.int("int64"),
    float: lambda: Kind.float("float64"),
    str: Kind.text,
    bytes: Kind.bytes,
}


def _refuse_known(cls: type, path: str) -> None:
    advice = {
        datetime.datetime: "store seconds as a float, or nanoseconds as an int",
        datetime.date: "store it as text",
        datetime.time: "store it as text",
        datetime.timedelta: "store seconds as a float, or nanoseconds as an int",
        complex: "store the real and the imaginary part in two fields",
    }.get(cls)
    if advice is not None:
        raise _refused(path, f"{cls.__name__} has no message type", advice)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        raise _refused(path, f"{cls.__name__} is a named tuple", "make it a dataclass")


def _enum(cls: type[enum.Enum], path: str) -> Kind:
    if issubclass(cls, enum.Flag):
        raise _refused(path, f"{cls.__name__} is a set of flags", "store its value as an int")
    return Kind.enumeration(cls)


def _union(
    args: tuple[Any, ...], values: list[Any] | None, path: str, within: tuple[type, ...]
) -> Kind:
    others = [arg for arg in args if arg is not types.NoneType]
    there = None if values is None else [value for value in values if value is not None]
    if len(others) == 1 and len(others) < len(args):
        if there is not None and not there:
            # Nothing but None was seen; the annotation may say the type all the same.
            try:
                return Kind.optional(_of(others[0], None, path, within))
            except _Open:
                return Kind.null()
        return _optional(_of(others[0], there, path, within))
    if values is None:
        raise _Open(path)
    return _infer(values, path, within)


def _optional(kind: Kind) -> Kind:
    return kind if kind.is_optional else Kind.optional(kind)


def _annotated(
    annotation: Any, said: tuple[Any, ...], values: list[Any] | None, path: str, within: tuple[type, ...]
) -> Kind:
    annotation = unaliased(annotation)
    shape = next((tuple(item) for item in said if isinstance(item, Shape)), None)
    dtype = next((item.name for item in said if isinstance(item, Dtype)), None)
    if dtype is not None and dtype not in _NUMBERS:
        raise _refused(path, f"there is no element type {dtype}", f"it is one of {', '.join(_NUMBERS)}")
    if annotation is int and dtype in _INTEGERS:
        return Kind.int(dtype)
    if annotation is float and dtype in _FLOATS:
        return Kind.float(dtype)
    element = _numpy_element(annotation)
    is_array = element is not None or _is_array(annotation)
    if is_array and (shape is not None or dtype is not None):
        wanted = dtype or element
        if wanted is None:
            raise _refused(path, "an array of a fixed shape needs a dtype", 'add Dtype("float64")')
        return Kind.ndarray(wanted, None if shape is None else list(shape))
    if shape is not None or dtype is not None:
        what = "Shape" if shape is not None else "Dtype"
        raise _refused(path, f"{what} says nothing of {annotation}", "leave it out")
    return _of(annotation, values, path, within)


def _container(
    name: str, args: tuple[Any, ...], values: list[Any] | None, path: str, within: tuple[type, ...]
) -> Kind:
    length = None
    if name == "tuple":
        if len(args) == 2 and args[1] is Ellipsis:
            args = args[:1]
        elif len(set(args)) == 1:
            length = len(args)
        else:
            raise _refused(path, "a tuple of several types has no message type", "make it a dataclass")
    items = None if values is None else _flat(values, path)
    element = _of(args[0], items, f"{path}[]", within)
    if element.is_optional:
        raise _refused(
            f"{path}[]", "an element can't be None", "wrap it in a dataclass with an optional field"
        )
    return Kind.sequence(element, name, length)


def _flat(values: list[Any], path: str) -> list[Any]:
    try:
        return [item for value in values for item in value]
    except TypeError:
        wrong = next(type(value).__name__ for value in values if not hasattr(value, "__iter__"))
        raise SchemaError(f"field {path}: expected elements, got {wrong}") from None


def _is_array(annotation: Any) -> bool:
    target = get_origin(annotation) or annotation
    return getattr(target, "__module__", "") == "numpy" and getattr(target, "__name__", "") == "ndarray"


def _numpy_element(annotation: Any) -> str | None:
    """`float64` of `NDArray[np.float64]`; None where no dtype is said."""
    if not _is_array(annotation):
        return None
    args = get_args(annotation)
    scalar = get_args(args[1])[:1] if len(args) == 2 else ()
    return _numpy_scalar(scalar[0]) if scalar else None


def _numpy_scalar(annotation: Any) -> str | None:
    if not isinstance(annotation, type) or annotation.__module__ != "numpy":
        return None
    name = annotation.__name__.rstrip("_")
    return name if name in _NUMBERS else None


def _infer(values: list[Any], path: str, within: tuple[type, ...]) -> Kind:
    """What holds all the values."""
    there = [value for value in values if value is not None]
    if not there:
        # Of nothing at all an empty list is made; NumPy says float64 of it.
        return Kind.null() if values else Kind.float("float64")
    kind = _infer_present(there, path, within)
    return Kind.optional(kind) if len(there) < len(values) else kind


def _infer_present(values: list[Any], path: str, within: tuple[type, ...]) -> Kind:
    found = sorted(set(map(type, values)), key=lambda cls: cls.__name__)
    cls = found[0]
    if all(f in (int, float) for f in found):
        return _number(values, found, path)
    if len(found) > 1:
        if all(_numpy_scalar(f) or f in (int, float) for f in found):
            return _mixed(values, path)
        names = " and ".join(f.__name__ for f in found)
        raise _refused(path, f"the values are {names}, which no one type holds", "write one type per key")
    if cls in _PLAIN:
        return typing.cast(Kind, _PLAIN[cls]())
    if dataclasses.is_dataclass(cls):
        return _record(cls, values, path, within)
    if issubclass(cls, enum.Enum):
        return _enum(cls, path)
    if cls is dict:
        return _dict(values, path, within)
    if cls in (list, tuple, set, frozenset):
        element = _infer(_flat(values, path), f"{path}[]", within)
        if element.is_optional or element.is_null:
            raise _refused(f"{path}[]", "an element is None", "use NaN, or a dataclass with an optional field")
        return Kind.sequence(element, cls.__name__)
    _refuse_known(cls, path)
    if _is_array(cls):
        return Kind.ndarray(_common_dtype(values, path))
    scalar = _numpy_scalar(cls)
    if scalar is not None:
        return Kind.scalar(scalar, cls)
    raise _refused(path, f"{cls.__name__} has no message type", "write a dataclass, a number, text, a list or an array")


def _number(values: list[Any], found: list[type], path: str) -> Kind:
    if float in found:
        if int in found:
            bad = next((v for v in values if type(v) is int and abs(v) > _EXACT), None)
            if bad is not None:
                raise _refused(path, f"a float64 would round the integer {bad}", "write floats or ints alone")
        return Kind.float("float64")
    low, high = min(values), max(values)
    if -(2**63) <= low and high < 2**63:
        return Kind.int("int64")
    if low >= 0 and high < 2**64:
        return Kind.int("uint64")
    raise _refused(path, "no integer of 64 bits holds all of the numbers", "write them as text")


def _mixed(values: list[Any], path: str) -> Kind:
    dtype = _common_dtype(values, path)
    if dtype == "bool":
        return Kind.bool()
    return Kind.float(dtype) if dtype in _FLOATS else Kind.int(dtype)


def _common_dtype(values: list[Any], path: str) -> str:
    import numpy as np

    dtypes = {getattr(value, "dtype", None) or np.dtype(type(value)) for value in values}
    try:
        common = np.result_type(*dtypes)
    except TypeError:
        common = np.dtype(object)
    name = common.newbyteorder("=").name
    if name not in _NUMBERS:
        names = ", ".join(sorted(str(dtype) for dtype in dtypes))
        raise _refused(path, f"NumPy dtype {names} has no message type", f"use one of {', '.join(_NUMBERS)}")
    if name == "float64":
        for value in values:
            whole = np.asarray(value)
            if whole.dtype.kind in "iu" and whole.dtype.itemsize == 8:
                rounded = whole[(whole > _EXACT) | (whole < -_EXACT)]
                if rounded.size:
                    bad = rounded.flat[0]
                    raise _refused(path, f"a float64 would round the integer {bad}", "write floats or ints alone")
    return name


def _dict(values: list[Any], path: str, within: tuple[type, ...]) -> Kind:
    names: dict[str, None] = {}
    for value in values:
        for name in value:
            if type(name) is not str:
                raise _refused(path, f"a dict has the key {name!r}, which is no str", "use names for keys")
            names[name] = None
    fields = []
    for name in names:
        there = [value[name] for value in values if name in value]
        place = _join(path, name)
        kind = _infer(there, place, within)
        missing = len(there) < len(values)
        if missing:
            if kind.is_optional or kind.is_null:
                raise _refused(place, "it is None in one dict and missing in another", "write it in all of them")
            kind = Kind.optional(kind)
        fields.append((name, kind, missing))
    hint = _pascal(path.rpartition(".")[2].replace("[]", "Item")) if path else "Dict"
    return Kind.record(f"lk/msg/{hint}", None, fields)
