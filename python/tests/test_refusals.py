"""What no message type holds is refused by the name of the field."""

from __future__ import annotations

import datetime
import enum
import re
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Optional, Union

import numpy as np
import pytest

import lk
from lk._kinds import kind_of_class, kind_of_values


class Flags(enum.Flag):
    A = 1
    B = 2


class Pair(NamedTuple):
    a: int
    b: int


@dataclass
class Inner:
    x: float


def of(annotation: Any) -> type:
    """A dataclass with one such field in a nested one."""
    inner = dataclass(type("Held", (), {"__annotations__": {"field": annotation}}))
    return dataclass(type("Outer", (), {"__annotations__": {"held": inner}}))


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (datetime.datetime, "datetime has no message type"),
        (complex, "complex has no message type"),
        (Flags, "Flags is a set of flags"),
        (Pair, "Pair is a named tuple"),
        (tuple[int, str], "a tuple of several types has no message type"),
        (list[Optional[float]], "an element can't be None"),
        (Any, "its annotation leaves the type open"),
        (Union[int, str], "its annotation leaves the type open"),
        (np.ndarray, "its annotation leaves the type open"),
        (Annotated[int, lk.Dtype("int7")], "there is no element type int7"),
        (Annotated[str, lk.Shape(3)], "Shape says nothing of"),
    ],
    ids=str,
)
def test_an_annotation_without_a_message_type_names_the_field(annotation: Any, reason: str) -> None:
    with pytest.raises(lk.SchemaError, match=rf"field held\.field(\[\])?: {re.escape(reason)}") as caught:
        kind_of_class(of(annotation))
    assert isinstance(caught.value, TypeError)
    assert caught.value.__notes__[0].startswith("hint: ")


def test_a_class_that_contains_itself_is_refused() -> None:
    @dataclass
    class Tree:
        children: "list[Tree]"

    Tree.__annotations__["children"] = list[Tree]
    with pytest.raises(lk.SchemaError, match=r"field children\[\]: Tree contains itself"):
        kind_of_class(Tree)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([object()], "object has no message type"),
        ([1, "a"], "the values are int and str, which no one type holds"),
        ([True, 2], "the values are bool and int, which no one type holds"),
        ([2**64], "no integer of 64 bits holds all of the numbers"),
        ([0.5, 2**53 + 1], "a float64 would round the integer 9007199254740993"),
        ([{1: 2}], "a dict has the key 1, which is no str"),
        ([[1, None]], r"field []: an element is None"),
        ([np.array(["a"])], "NumPy dtype <U1 has no message type"),
        ([{"a": None}, {}], "field a: it is None in one dict and missing in another"),
    ],
    ids=str,
)
def test_values_without_a_message_type_say_why(values: list[Any], reason: str) -> None:
    with pytest.raises(lk.SchemaError, match=re.escape(reason)):
        kind_of_values(values)


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (float, True, "expected float, got bool"),
        (float, "1", "expected float, got str"),
        (float, 2**53 + 1, "a float64 would round the integer"),
        (Annotated[np.ndarray, lk.Dtype("float64")], np.array([1, 2**53 + 1]), "a float64 would round an integer"),
        (int, 1.0, "expected int, got float"),
        (int, True, "expected int, got bool"),
        (int, 2**63, "9223372036854775808 is no int64"),
        (Annotated[int, lk.Dtype("uint8")], 256, "256 is no uint8"),
        (str, b"a", "expected str, got bytes"),
        (str, "\ud800", "half of a surrogate pair"),
        (Inner, 1, "expected Inner, got int"),
        (list[int], (1,), "expected list, got tuple"),
        (tuple[int, int], (1,), "expected 2 elements, got 1"),
        (list[int], [1, "a"], r"field value[1]: expected int, got str"),
        (Annotated[np.ndarray, lk.Shape(2), lk.Dtype("float64")], np.zeros(3), "got ndarray of float64 of shape (3,)"),
        (Annotated[np.ndarray, lk.Dtype("float32")], np.zeros(3), "got ndarray of float64 of shape (3,)"),
        (Annotated[np.ndarray, lk.Dtype("float32")], [1.0], "expected a NumPy array of float32, got list"),
        (Optional[float], "a", "expected float, got str"),
    ],
    ids=str,
)
def test_a_value_other_than_declared_names_the_field(annotation: Any, value: Any, reason: str) -> None:
    cls = dataclass(type("Holder", (), {"__annotations__": {"value": annotation}}))
    with pytest.raises(lk.SchemaError, match=re.escape(reason)) as caught:
        kind_of_class(cls).encode(cls(value))
    assert str(caught.value).startswith("field value")


def test_memory_holds_anything_and_refuses_where_it_is_compared() -> None:
    a = lk.Dataset.create()
    a.write("odd", object())
    a.write("mixed", 1)
    a.write("mixed", 1.5)
    a.write("mixed", None)
    assert a.read("mixed") == [1, 1.5, None]
    with pytest.raises(lk.SchemaError, match="key odd: object has no message type"):
        lk.diffdiff(a, a)


def test_a_payload_that_is_cut_off_is_an_error() -> None:
    kind = kind_of_values([[1.0, 2.0]])
    payload = kind.encode([1.0, 2.0])
    for end in range(len(payload)):
        with pytest.raises(lk.Error, match="can't decode a message"):
            kind.decode(payload[:end])
    with pytest.raises(lk.Error, match="4 bytes follow the last field"):
        kind.decode(payload + bytes(4))
    assert kind.decode(payload + bytes(3)) == [1.0, 2.0]
    # A length that the bytes can't hold allocates nothing.
    with pytest.raises(lk.Error, match="can't decode a message"):
        kind.decode(bytes([0, 1, 0, 0, 255, 255, 255, 255]))
