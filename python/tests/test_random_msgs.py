"""Values drawn from distributions."""

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lk.msgs.msg import Msg
from lk.msgs.random_msgs import (
    RandomArray,
    RandomBool,
    RandomFloat,
    RandomInt,
    RandomMsg,
    RandomStr,
    RandomType,
)


class Vec2(Msg):
    x: float
    y: float = 5.0


ALL: dict[str, Callable[[], RandomType[Any]]] = {
    "fixed": lambda: RandomFloat.fixed(2.5),
    "discrete": lambda: RandomFloat.discrete([1.0, 2.0], weights=[1, 3]),
    "uniform": lambda: RandomFloat.uniform(-2.0, 3.0),
    "normal": lambda: RandomFloat.normal(1.0, 2.0),
    "truncated_normal": lambda: RandomFloat.truncated_normal(0.0, 1.0, 0.5, 2.0),
    "exponential": lambda: RandomFloat.exponential(2.0),
    "beta": lambda: RandomFloat.beta(2.0, 5.0, -1.0, 1.0),
    "log_uniform": lambda: RandomFloat.log_uniform(1e-3, 1e3),
    "custom": lambda: RandomFloat.custom(lambda r: r.random() ** 2, (0.0, 1.0)),
    "int": lambda: RandomInt.uniform(-3, 3),
    "int_normal": lambda: RandomInt.normal(0.0, 5.0),
    "bool": lambda: RandomBool.uniform(0.25),
    "text": lambda: RandomStr.uniform(1, 5),
    "array": lambda: RandomArray(RandomFloat.uniform(), (2, 3)),
    "message": lambda: RandomMsg(Vec2, x=RandomFloat.uniform()),
}


@pytest.mark.parametrize("name", ALL)
def test_a_seed_gives_the_same_values_which_it_contains(name: str) -> None:
    first, second = ALL[name]().with_seed(7), ALL[name]().with_seed(7)
    values = first.generate_dataset(200)
    again = second.generate_dataset(200)
    assert all(np.array_equal(a, b) for a, b in zip(values, again, strict=True)) or values == again
    assert all(first.contains(value) for value in values)


@pytest.mark.parametrize("name", ["uniform", "normal", "int", "text", "message"])
def test_another_seed_and_no_seed_give_others(name: str) -> None:
    values = ALL[name]().with_seed(1).generate_dataset(50)
    assert values != ALL[name]().with_seed(2).generate_dataset(50)
    assert ALL[name]().generate_dataset(50) != ALL[name]().generate_dataset(50)


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("discrete", 1.75, math.sqrt(3 / 16)),
        ("uniform", 0.5, 5 / math.sqrt(12)),
        ("normal", 1.0, 2.0),
        # Known moments of the standard normal between 0.5 and 2 (Johnson and Kotz).
        ("truncated_normal", 1.043, 0.397),
        ("exponential", 0.5, 0.5),
        ("beta", -3 / 7, 2 * math.sqrt(10 / 392)),
        ("int", 0.0, 2.0),
    ],
)
def test_the_moments_are_those_of_the_distribution(name: str, mean: float, std: float) -> None:
    values = ALL[name]().with_seed(3).generate_dataset(20_000)
    assert statistics.fmean(values) == pytest.approx(mean, abs=5 * std / math.sqrt(20_000))
    assert statistics.pstdev(values) == pytest.approx(std, rel=0.03)


def test_each_decade_of_a_log_uniform_is_as_likely() -> None:
    values = RandomFloat.log_uniform(1e-3, 1e3).with_seed(1).generate_dataset(6_000)
    share = sum(value < 1.0 for value in values) / len(values)
    assert share == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fixed", (2.5, 2.5)),
        ("discrete", (1.0, 2.0)),
        ("uniform", (-2.0, 3.0)),
        ("normal", (-math.inf, math.inf)),
        ("exponential", (0.0, math.inf)),
        ("int", (-3, 3)),
        ("bool", (False, True)),
        ("message", {"x": (0.0, 1.0)}),
    ],
)
def test_the_range_is_known(name: str, expected: Any) -> None:
    assert ALL[name]().get_range() == expected


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("uniform", 3.5), ("uniform", "a"), ("uniform", math.nan), ("discrete", 1.5),
        ("int", 0.5), ("int", 4), ("int", True), ("bool", 1), ("text", "a" * 6),
        ("text", "!"), ("array", np.zeros(3)), ("array", np.full((2, 3), 2.0)),
        ("message", Vec2(3.0)), ("message", 1.0),
    ],
)  # fmt: skip
def test_what_can_not_come_is_not_contained(name: str, outside: Any) -> None:
    assert not ALL[name]().contains(outside)


def test_permuting_visits_all_combinations_and_says_when_it_is_done() -> None:
    dist = RandomMsg(Vec2, x=RandomFloat.discrete([1.0, 2.0]), y=RandomFloat.discrete([3.0, 4.0]))
    visited, done = [], False
    while not done:
        value, done = dist.permute()
        visited.append((value.x, value.y))
    assert visited == [(1.0, 3.0), (1.0, 4.0), (2.0, 3.0), (2.0, 4.0)]
    assert dist.permute() == (Vec2(1.0, 3.0), False)


def test_what_is_continuous_is_drawn_anew_for_each_combination() -> None:
    dist = RandomMsg(Vec2, x=RandomInt.uniform(0, 1), y=RandomFloat.uniform()).with_seed(1)
    (a, first), (b, last) = dist.permute(), dist.permute()
    assert (a.x, b.x) == (0, 1) and a.y != b.y and (first, last) == (False, True)


def test_a_dataset_of_permutations_goes_round() -> None:
    assert RandomInt.uniform(1, 3).generate_dataset(5, permute=True) == [1, 2, 3, 1, 2]


def test_another_field_changes_no_stream_that_was_there() -> None:
    alone = RandomMsg(Vec2, x=RandomFloat.uniform()).with_seed(4).generate_dataset(5)
    both = RandomMsg(Vec2, y=RandomFloat.normal(), x=RandomFloat.uniform()).with_seed(4)
    assert [v.x for v in both.generate_dataset(5)] == [v.x for v in alone]


def test_fields_of_one_message_are_independent() -> None:
    dist = RandomMsg(Vec2, x=RandomFloat.uniform(), y=RandomFloat.uniform()).with_seed(0)
    assert all(v.x != v.y for v in dist.generate_dataset(20))


def test_a_field_without_distribution_has_its_default_or_is_refused() -> None:
    assert RandomMsg(Vec2, x=RandomFloat.fixed(1.0)).sample() == Vec2(1.0, 5.0)
    assert RandomMsg(Vec2, x=2.0).sample() == Vec2(2.0, 5.0)
    with pytest.raises(ValueError, match=r"Vec2.x has no distribution.*hint"):
        RandomMsg(Vec2, y=RandomFloat.normal())
    with pytest.raises(TypeError, match="Vec2 has no field 'z'"):
        RandomMsg(Vec2, x=1.0, z=2.0)


def test_a_tail_far_from_the_mean_is_still_drawn_within_its_limits() -> None:
    for low, high in ((6.0, 7.0), (-7.0, -6.0), (60.0, 61.0)):
        values = RandomFloat.truncated_normal(0.0, 1.0, low, high).with_seed(1)
        assert all(low <= value <= high for value in values.generate_dataset(100))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RandomFloat.uniform(2.0, 1.0),
        lambda: RandomFloat.uniform(0.0, math.inf),
        lambda: RandomFloat.normal(0.0, 0.0),
        lambda: RandomFloat.exponential(-1.0),
        lambda: RandomFloat.log_uniform(0.0, 1.0),
        lambda: RandomFloat.discrete([]),
        lambda: RandomFloat.discrete([1.0], weights=[0.0]),
        lambda: RandomInt.uniform(3, 2),
        lambda: RandomBool.uniform(1.5),
        lambda: RandomInt.uniform(0, 1).generate_dataset(-1),
    ],
)
def test_a_distribution_that_makes_no_sense_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_a_fraction_is_no_whole_number() -> None:
    for make in (
        lambda: RandomInt.fixed(1.7),  # type: ignore[arg-type]
        lambda: RandomInt.discrete([1, 1.5]),  # type: ignore[list-item]
        lambda: RandomInt.uniform(0, 2.7),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match="no whole number"):
            make()
