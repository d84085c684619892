"""What `Annotated[...]` may say of a field."""

from __future__ import annotations

from dataclasses import dataclass


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
