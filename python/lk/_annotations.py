"""What `Annotated[...]` may say of a field."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any


class Shape(tuple[int, ...]):
    """The fixed shape of an array: `Annotated[NDArray[np.float64], Shape(3, 3)]`."""

    def __new__(cls, *extents: int) -> Shape:
        return super().__new__(cls, extents)


@dataclass(frozen=True)
class Dtype:
    """The element type on the wire: `Annotated[float, Dtype("float32")]`."""

    name: str


@dataclass(frozen=True)
class Unit:
    """The unit of a number, for readers: `Annotated[float, Unit("m/s")]`."""

    name: str


def unaliased(hint: Any) -> Any:
    """What a ``type`` alias stands for, such as ``NDArray`` in newer versions of NumPy."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(origin, "__value__"):
        return unaliased(origin.__value__[args])
    return unaliased(hint.__value__) if hasattr(hint, "__value__") else hint
