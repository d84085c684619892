"""Messages as dataclasses, to dictionaries and back."""

import enum
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, make_dataclass
from pathlib import Path
from typing import Any, Optional, cast

import numpy as np
import numpy.typing as npt
import pytest

from lk.msgs.msg import Action, Done, Info, Msg, Observation, Reward


class Vec3(Msg):
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


@dataclass
class Pose(Msg):
    position: Vec3
    frame: str = "world"
    covariance: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    velocity: Optional[Vec3] = None
    tags: list[str] = field(default_factory=list)


class Mode(enum.Enum):
    IDLE = 0
    RUN = 1


@dataclass
class Mixed(Msg):
    mode: Mode = Mode.IDLE
    waypoints: list[Vec3] = field(default_factory=list)
    pair: tuple[int, float] = (0, 0.0)
    number: int | float = 0
    anything: Any = None


def test_a_subclass_is_a_dataclass_without_a_decorator() -> None:
    v = Vec3(1.0, z=3.0)
    assert (v.x, v.y, v.z) == (1.0, 0.0, 3.0)
    assert v == Vec3(1.0, 0.0, 3.0)
    assert repr(v) == "Vec3(x=1.0, y=0.0, z=3.0)"


def test_a_subclass_of_a_message_has_the_fields_of_both() -> None:
    class Stamped(Vec3):
        time_s: float = 0.0

    assert [f.name for f in fields(Stamped(1.0, time_s=2.0))] == ["x", "y", "z", "time_s"]


def test_equality_goes_over_the_fields_of_base_and_subclass() -> None:
    class Base(Msg):
        a: int = 0

    class Derived(Base):
        b: int = 0

    assert Base(1) == Base(1) and Base(1) != Base(2)
    assert Derived(1, 2) == Derived(1, 2) and Derived(1, 2) != Derived(1, 3)

    class Close(Msg):
        a: float = 0.0

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Close) and abs(self.a - other.a) < 0.1

    class Closer(Close):
        b: float = 0.0

    assert Close(1.0) == Close(1.05) and Closer(1.0) == Closer(1.05)


def test_a_class_has_its_fields_before_there_is_a_message() -> None:
    class Base(Msg):
        a: int = 0

    class Derived(Base):
        b: int = 0

    assert is_dataclass(Derived) and [f.name for f in fields(Derived)] == ["a", "b"]
    assert [f.name for f in fields(Base)] == ["a"] and not is_dataclass(Msg)

    class Empty(Msg):
        pass

    assert fields(Empty) == () and Empty() == Empty()


def test_a_message_that_was_not_decorated_comes_back_from_a_file_in_another_process(
    tmp_path: Path,
) -> None:
    (tmp_path / "shapes.py").write_text(
        "from lk import Msg\n"
        "class Point(Msg):\n    x: float = 0.0\n"
        "class Circle(Point):\n    radius: float = 0.0\n"
    )
    write = (
        "import lk, shapes; ds = lk.Dataset.create('mcap', 'a.mcap');"
        "ds.write('c', shapes.Circle(1.0, 2.0), 0.0); ds.close()"
    )
    read = "import lk, shapes; print(lk.Dataset.load('a.mcap').read('c', 0) == shapes.Circle(1.0, 2.0))"
    for code in (write, read):
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"


def test_a_message_may_have_abstract_parts() -> None:
    class Shape(Msg, ABC):
        scale: float = 1.0

        @abstractmethod
        def area(self) -> float: ...

    class Square(Shape):
        side: float = 2.0

        def area(self) -> float:
            return self.scale * self.side**2

    assert Square(0.5).area() == 2.0
    with pytest.raises(TypeError, match="abstract"):
        Shape()  # type: ignore[abstract]


def test_a_subclass_can_be_frozen() -> None:
    @dataclass(frozen=True)
    class Point(Msg):
        x: float = 0.0

    class Point2(Point):
        y: float = 0.0

    point = Point2(1.0, 2.0)
    with pytest.raises(FrozenInstanceError):
        point.y = 3.0


def test_a_message_survives_the_way_to_a_dictionary_and_back() -> None:
    pose = Pose(Vec3(1.0, 2.0, 3.0), "map", np.array([1.0, 2.0]), Vec3(4.0), ["a"])
    data = pose.to_dict()
    assert data["position"] == {"x": 1.0, "y": 2.0, "z": 3.0}
    back = Pose.from_dict(data)
    assert isinstance(back.position, Vec3) and isinstance(back.velocity, Vec3)
    assert back.position == pose.position and back.tags == ["a"]
    np.testing.assert_array_equal(back.covariance, pose.covariance)


def test_a_dictionary_shares_nothing_with_the_message() -> None:
    pose = Pose(Vec3())
    data = pose.to_dict()
    data["covariance"][0] = 9.0
    data["tags"].append("b")
    assert pose.covariance[0] == 0.0 and pose.tags == []


def test_optional_and_missing_fields_keep_their_defaults() -> None:
    pose = Pose.from_dict({"position": {"x": 1}, "velocity": None})
    assert pose.velocity is None and pose.frame == "world" and pose.position == Vec3(1.0)


def test_values_are_converted_to_the_types_of_their_fields() -> None:
    mixed = Mixed.from_dict(
        {"mode": "RUN", "waypoints": [{"x": 1}], "pair": [1.0, 2], "number": 3, "anything": {}}
    )
    assert mixed.mode is Mode.RUN and Mixed.from_dict({"mode": 1}).mode is Mode.RUN
    assert mixed.waypoints == [Vec3(1.0)] and isinstance(mixed.waypoints[0].x, float)
    assert mixed.pair == (1, 2.0) and isinstance(mixed.pair[1], float)
    assert mixed.number == 3 and isinstance(mixed.number, int)
    assert Pose.from_dict({"position": {}, "covariance": [1, 2]}).covariance.dtype == np.float64


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"w": 1.0}, "no field 'w'"),
        ({"x": "north"}, "Vec3.x is a float"),
        ({"x": None}, "Vec3.x is a float"),
        ({"x": True}, None),
    ],
)
def test_what_does_not_fit_is_refused_by_name(data: dict[str, Any], message: str | None) -> None:
    if message is None:
        assert Vec3.from_dict(data).x == 1.0
        return
    with pytest.raises(TypeError, match=message):
        Vec3.from_dict(data)


def test_a_missing_field_without_a_default_is_named() -> None:
    with pytest.raises(TypeError, match="Pose.position is missing"):
        Pose.from_dict({"frame": "map"})


def test_an_integer_field_takes_no_fraction() -> None:
    with pytest.raises(TypeError, match=r"Mixed.pair\[0\]"):
        Mixed.from_dict({"pair": [1.5, 2.0]})


def test_an_observation_knows_shape_and_dtype_of_its_array() -> None:
    observation = Observation(np.zeros((2, 3), np.float32))
    assert (observation.shape, observation.dtype) == ((2, 3), "float32")
    given = Observation(np.zeros(6), shape=(2, 3), dtype="float16")
    assert (given.shape, given.dtype) == ((2, 3), "float16")
    assert Observation([1, 2]).shape is None


def test_messages_with_arrays_compare_element_by_element() -> None:
    assert Observation(np.arange(3)) == Observation(np.arange(3))
    assert Observation(np.arange(3)) != Observation(np.arange(4))
    assert Action(np.arange(3)) != Action(np.arange(3.0))


def test_the_messages_of_an_environment_have_the_known_defaults() -> None:
    assert Action(1).action_space is None
    assert Reward(0.5).value == 0.5
    assert Done(True) == Done(True, truncated=False)
    info = Info()
    info["lap"] = 3
    assert info["lap"] == 3 and "lap" in info
    assert info.get("fuel") is None and info.get("fuel", 1) == 1
    assert Info().data == {}


def test_a_message_of_a_function_converts_too() -> None:
    class Inner(Msg):
        x: "float" = 0.0

    class Outer(Msg):
        inner: "Inner"

    # What only the function can see is taken as it comes.
    assert Outer.from_dict({"inner": 1}).inner == 1
    assert isinstance(Inner.from_dict({"x": 1}).x, float)


def test_the_alias_of_an_array_is_an_array() -> None:
    # As NumPy 2.5 has it where Python is new enough; the same by hand.
    class Alias:
        __value__ = npt.NDArray[np.float32]

    message = make_dataclass("Scan", [("ranges", cast(Any, Alias()))], bases=(Msg,))
    assert message.from_dict({"ranges": [1, 2]}).ranges.dtype == np.float32


def test_an_array_of_whole_numbers_is_not_made_of_fractions() -> None:
    class Counts(Msg):
        n: npt.NDArray[np.uint8]

    assert Counts.from_dict({"n": [1.0, 2]}).n.tolist() == [1, 2]
    for numbers in ([1.7], [300]):
        with pytest.raises(TypeError, match=r"Counts\.n"):
            Counts.from_dict({"n": numbers})
