"""`@lk.record` writes what goes in and what comes out."""

from __future__ import annotations

import pytest

import lk


def test_a_function_is_recorded_with_its_arguments_and_defaults() -> None:
    dataset = lk.Dataset.create()

    @lk.record(dataset)
    def scaled(x: float, by: float = 2.0) -> float:
        return x * by

    assert scaled(3.0) == 6.0 and scaled(1.0, by=5.0) == 5.0
    assert dataset.read("scaled.in.x") == [3.0, 1.0]
    assert dataset.read("scaled.in.by") == [2.0, 5.0]
    assert dataset.read("scaled.out") == [6.0, 5.0]
    assert dataset.get_timestamps("scaled.in.x") == dataset.get_timestamps("scaled.out")
    assert scaled.lk_cost.calls == 2 and scaled.lk_cost.seconds_per_call > 0


def test_a_class_is_recorded_by_its_step() -> None:
    dataset = lk.Dataset.create()

    @lk.record(dataset, name="sum")
    class Sum:
        def __init__(self) -> None:
            self.total = 0

        def step(self, n: int) -> int:
            self.total += n
            return self.total

    one, other = Sum(), Sum()
    assert (one.step(1), one.step(2), other.step(5)) == (1, 3, 5)
    assert dataset.read("sum.in.n") == [1, 2, 5] and dataset.read("sum.out") == [1, 3, 5]
    with pytest.raises(TypeError, match="Empty has no method"):
        lk.record(dataset)(type("Empty", (), {}))


def test_a_call_that_raises_has_inputs_alone() -> None:
    dataset = lk.Dataset.create()

    @lk.record(dataset)
    def broken(x: float) -> float:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        broken(1.0)
    assert dataset.keys() == ["broken.in.x"]


def test_a_component_that_reads_and_writes_its_ports_is_recorded_by_them() -> None:
    dataset = lk.Dataset.create()

    @lk.record(dataset)
    class Half(lk.Component):
        x = lk.InputPort("x", float)
        y = lk.OutputPort("y", float)

        def forward(self) -> None:
            self.y.write(self.inputs.x.value / 2)

    half = Half()
    half.inputs.x.value = 3.0
    assert half.step()
    assert dataset.read("Half.in.x") == [3.0] and dataset.read("Half.out.y") == [1.5]
