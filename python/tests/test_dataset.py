"""Values go in and come back as they were."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np
import pytest
from numpy.typing import NDArray

import lk
from lk._kinds import kind_of_values


class Mode(Enum):
    IDLE = "idle"
    RUN = "run"


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Everything:
    truth: bool
    count: int
    number: float
    text: str
    raw: bytes
    mode: Mode
    point: Point
    maybe: Optional[Point]
    numbers: list[float]
    points: list[Point]
    triple: tuple[float, float, float]
    free: NDArray[np.float32]
    fixed: Annotated[NDArray[np.float64], lk.Shape(2, 3)]
    small: Annotated[int, lk.Dtype("int8")]
    nested: list[list[int]] = field(default_factory=list)


def everything() -> Everything:
    return Everything(
        truth=True,
        count=-(2**60),
        number=0.1,
        text="äö\N{GRINNING FACE}",
        raw=b"\x00\xff",
        mode=Mode.RUN,
        point=Point(1.0, 2.0),
        maybe=None,
        numbers=[1.0, 2.5],
        points=[Point(0.0, 1.0)],
        triple=(1.0, 2.0, 3.0),
        free=np.arange(6, dtype=np.float32).reshape(1, 2, 3),
        fixed=np.arange(6.0).reshape(2, 3),
        small=-128,
        nested=[[1, 2], [], [3]],
    )


def assert_same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            assert_same(getattr(a, name), getattr(b, name))
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_same(x, y)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for name in a:
            assert_same(a[name], b[name])
    else:
        assert a == b or a != a


@pytest.fixture(params=["memory", "mcap", "pickle"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> lk.Dataset:
    path = {"memory": None, "mcap": tmp_path / "a.mcap", "pickle": tmp_path / "a.pkl"}
    return lk.Dataset.create(request.param, path[request.param])


def test_a_dataclass_of_every_kind_comes_back_as_it_was(dataset: lk.Dataset) -> None:
    value = everything()
    dataset.write("all", value, timestamp=1.0)
    dataset.write("all", Everything(**{**vars(value), "maybe": Point(3.0, 4.0)}), timestamp=2.0)
    assert_same(dataset.read("all", 0), value)
    assert dataset.read("all", 1).maybe == Point(3.0, 4.0)


@pytest.mark.parametrize(
    "value",
    [1, 1.5, True, "text", b"bytes", [1.0, 2.0], [[1], [2, 3]], (1, 2), {"a": 1, "b": {"c": [1.0]}},
     np.float32(1.5), np.arange(4).reshape(2, 2), np.array(3.0), {1, 2}, frozenset({"a"}), Mode.IDLE,
     None, [], {}],
    ids=repr,
)
def test_a_value_without_a_declared_type_comes_back_as_it_was(dataset: lk.Dataset, value: Any) -> None:
    dataset.write("value", value, timestamp=0.0)
    assert_same(dataset.read("value", -1), value)


def test_a_file_says_which_value_of_which_key_does_not_fit(tmp_path: Path) -> None:
    dataset = lk.Dataset.create("mcap", tmp_path / "a.mcap")
    dataset.write("speed", 1.5)
    with pytest.raises(lk.SchemaError, match="key speed, index 1: expected float, got str"):
        dataset.write("speed", "fast")
    with pytest.raises(TypeError, match=r"key pose, index 0: field point.x: expected float, got NoneType"):
        value = everything()
        value.point.x = None  # type: ignore[assignment]
        dataset.write("pose", value)


def test_reading_what_is_not_there_is_an_error(dataset: lk.Dataset) -> None:
    dataset.write("a", 1)
    with pytest.raises(KeyError, match="b"):
        dataset.read("b")
    for index in (1, -2):
        with pytest.raises(IndexError, match="key a has no index"):
            dataset.read("a", index)


def test_slices_go_by_position_or_by_time(dataset: lk.Dataset) -> None:
    for n in range(10):
        dataset.write("n", n, timestamp=n / 2)
    series = dataset["n"]
    assert series == list(range(10))
    assert series[2:4] == [2, 3]
    assert series[1.0:2.0] == [2, 3]
    assert series[4.25:] == [9]
    assert series[1.0:2.0].timestamps == [1.0, 1.5]
    assert series[-1] == 9 and len(series[8:]) == 2


def test_the_memory_backend_keeps_a_copy() -> None:
    dataset = lk.Dataset.create()
    value = everything()
    dataset.write("all", value)
    value.point.x = 99.0
    value.fixed[0, 0] = 99.0
    assert dataset.read("all", 0).point.x == 1.0
    assert dataset.read("all", 0).fixed[0, 0] == 0.0


def test_a_column_is_an_array_of_one_field(dataset: lk.Dataset) -> None:
    for n in range(5):
        value = everything()
        value.point.y = n / 4
        dataset.write("all", value, timestamp=float(n))
    assert dataset["all"]["point.y"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert dataset["all"]["fixed"].shape == (5, 2, 3)
    assert dataset["all"]["small"].dtype == np.int8
    with pytest.raises(lk.SchemaError, match="field point.z: no field z in Point"):
        dataset["all"]["point.z"]
    with pytest.raises(lk.SchemaError, match="field text: str makes no column"):
        dataset["all"]["text"]


def test_a_dataclass_that_is_gone_is_a_record_with_the_same_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mcap"
    with lk.Dataset.create("mcap", path) as dataset:
        dataset.write("point", Point(1.0, 2.0))
    monkeypatch.delattr(sys.modules[__name__], "Point")
    value = lk.Dataset.load(path).read("point", 0)
    assert isinstance(value, lk.Record) and (value.x, value.y) == (1.0, 2.0)
    assert type(value).__name__ == "Point"


def test_a_write_that_is_refused_leaves_values_and_times_as_they_were() -> None:
    dataset = lk.Dataset.create()
    dataset.write("x", 1.0, timestamp=0.0)
    for time_ns in (1.5, 2**63):
        with pytest.raises((TypeError, OverflowError)):
            dataset.write("x", 2.0, timestamp_ns=time_ns)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        dataset.write("lock", threading.Lock())
    assert dataset.read("x") == [1.0] and dataset.get_timestamps("x") == [0.0]
    assert dataset.keys() == ["x"]


def test_a_slice_by_time_of_times_that_go_back_is_refused() -> None:
    dataset = lk.Dataset.create()
    for time_s in (0.0, 3.0, 1.0, 2.0, 4.0):
        dataset.write("x", time_s, timestamp=time_s)
    with pytest.raises(ValueError, match="times of key x go back"):
        dataset["x"][1.0:2.5]


def test_a_column_is_in_the_order_of_its_times() -> None:
    dataset = lk.Dataset.create()
    for time_s in (0.0, 3.0, 1.0):
        dataset.write("x", 10.0 * time_s, timestamp=time_s)
    assert dataset["x"].column().tolist() == dataset.read("x") == [0.0, 30.0, 10.0]


def test_large_integers_beside_floats_are_not_rounded(tmp_path: Path) -> None:
    mixed = lk.Dataset.create()
    for value in (np.array([2**60 + 1]), np.array([0.5])):
        mixed.write("x", value, timestamp=0.0)
    with pytest.raises(lk.SchemaError, match="would round the integer 1152921504606846977"):
        mixed.save(tmp_path / "mixed.mcap")
    exact = lk.Dataset.create()
    exact.write("x", np.array([2**60 + 1]), timestamp=0.0)
    rounded = lk.Dataset.create()
    rounded.write("x", np.array([2.0**60]), timestamp=0.0)
    assert not lk.diffdiff(exact, rounded, tol=0.0).matches


def test_many_values_of_many_lengths_are_each_its_own_message(tmp_path: Path) -> None:
    texts = [f"{n}" * (n % 7) for n in range(3000)]
    made = lk.Dataset.create()
    for n, text in enumerate(texts):
        made.write("text", text, timestamp_ns=3000 - n)
        made.write("half", n / 2, timestamp_ns=n)
    made.save(tmp_path / "many.mcap")
    read = lk.Dataset.load(tmp_path / "many.mcap")
    assert read.read("text") == texts[::-1]
    assert read.read("half") == [n / 2 for n in range(3000)]
    assert lk.diffdiff(made, read).verdict == "identical"


def test_of_many_values_the_one_that_does_not_fit_is_named(tmp_path: Path) -> None:
    made = lk.Dataset.create()
    for n in range(3000):
        made.write("point", Point(0.0, 0.0) if n != 2345 else Point("far", 0.0), timestamp_ns=n)  # type: ignore[arg-type]
    with pytest.raises(lk.SchemaError, match="key point, index 2345: field x: expected float, got str"):
        made.save(tmp_path / "many.mcap")


@pytest.mark.parametrize(
    ("values", "beside", "described"),
    [
        ([1.5], [2.5], "float64 data\n"),
        ([1], [2], "int64 data\n"),
        ([1], [2**63], "uint64 data\n"),
        ([1], [2.5], "float64 data\n"),
        ([True], [False], "bool data\n"),
        (["a"], ["b"], "string data\n"),
    ],
)
def test_values_and_those_beside_them_have_one_type(values: list[Any], beside: list[Any], described: str) -> None:
    for one, other in ((values, beside), (beside, values)):
        assert kind_of_values(one, other).describe()[1] == described
        assert kind_of_values([*one, *other]).describe()[1] == described


@pytest.mark.parametrize("beside", ["a", None, True, 1j])
def test_a_plain_type_beside_another_is_no_plain_type(beside: Any) -> None:
    if beside is None:
        assert kind_of_values([1.5], [beside]).is_optional
    else:
        with pytest.raises(lk.SchemaError, match="which no one type holds"):
            kind_of_values([1.5], [beside])
