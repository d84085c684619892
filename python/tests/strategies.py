"""Random dataclasses with values of them, and plain data."""

from __future__ import annotations

import dataclasses
import itertools
import string
from enum import Enum
from typing import Annotated, Any, Optional

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import lk


class Colour(Enum):
    RED = "r"
    GREEN = "g"


_numbers = itertools.count()

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]

Typed = tuple[Any, st.SearchStrategy[Any]]


def arrays(dtype: str, shape: Any = None) -> st.SearchStrategy[Any]:
    return hnp.arrays(dtype, shape or hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))


SCALARS: list[Typed] = [
    (int, INT64),
    (float, st.floats()),
    (bool, st.booleans()),
    (str, TEXT),
    (bytes, st.binary(max_size=8)),
    (Colour, st.sampled_from(Colour)),
    (Annotated[int, lk.Dtype("uint16")], st.integers(0, 2**16 - 1)),
    (Annotated[float, lk.Dtype("float32")], st.floats(width=32)),
    (np.int32, st.integers(-(2**31), 2**31 - 1).map(np.int32)),
]
ARRAYS: list[Typed] = [
    *((NDArray[getattr(np, "bool_" if d == "bool" else d)], arrays(d)) for d in DTYPES),
    (Annotated[NDArray[np.float64], lk.Shape(2, 2)], arrays("float64", (2, 2))),
    (Annotated[np.ndarray, lk.Shape(3), lk.Dtype("uint8")], arrays("uint8", (3,))),
]


@st.composite
def classes(draw: st.DrawFn, depth: int = 2) -> Typed:
    """A dataclass, and values of it."""
    count = draw(st.integers(0 if depth < 2 else 1, 4))
    fields = [(f"f{n}", *draw(types(depth))) for n in range(count)]
    name = f"Made{next(_numbers)}"
    options = draw(st.sampled_from([{}, {"frozen": True}, {"slots": True}]))
    cls = dataclasses.make_dataclass(name, [(name, annotation) for name, annotation, _ in fields], **options)
    # Where a file's class is looked for.
    cls.__module__ = __name__
    globals()[name] = cls
    return cls, st.builds(cls, **{name: values for name, _, values in fields})


@st.composite
def types(draw: st.DrawFn, depth: int) -> Typed:
    """An annotation, and values of it."""
    choice = draw(st.integers(0, 6 if depth else 1))
    if choice <= 1:
        return draw(st.sampled_from(ARRAYS if choice else SCALARS))
    if choice == 2:
        return draw(classes(depth - 1))
    annotation, values = draw(types(depth - 1))
    if choice == 3 and not is_optional(annotation):
        return Optional[annotation], st.none() | values
    if is_optional(annotation):
        return annotation, values
    if choice == 4:
        return tuple[annotation, annotation], st.tuples(values, values)
    if choice == 5:
        return tuple[annotation, ...], st.lists(values, max_size=3).map(tuple)
    return list[annotation], st.lists(values, max_size=3)


def is_optional(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


#: What `pickle` and JSON have in common, one type to a list.
PLAIN = st.recursive(
    st.sampled_from([INT64, st.floats(), st.booleans(), TEXT, st.binary(max_size=8)]),
    lambda inner: st.one_of(
        inner.map(lambda values: st.lists(values, min_size=1, max_size=3)),
        st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=4), inner, min_size=1, max_size=3).map(
            st.fixed_dictionaries
        ),
    ),
    max_leaves=4,
).flatmap(lambda values: values)


def same(a: Any, b: Any) -> bool:
    """Equal in type and value, NaN to itself, and -0.0 not to 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a)]
        return all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return a.hex() == b.hex()
    return bool(a == b)
