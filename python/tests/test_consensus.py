"""Consensus: which inputs several implementations dispute."""

import math
from typing import Any

import pytest

from lk.common.component import Component
from lk.common.dataset import Dataset
from lk.common.dataset.consensus import ConsensusDx, ConsensusRecorder
from lk.common.dx import Level
from lk.common.port import InputPort
from lk.msgs.msg import Msg


class Control(Msg):
    force: float = 0.0
    clipped: bool = False


def exact(x: float) -> Control:
    return Control(math.sin(x))


def short(x: float) -> Control:
    """Good near zero only."""
    return Control(x - x**3 / 6)


def recorder(**settings: Any) -> ConsensusRecorder:
    settings.setdefault("tolerance", 1e-3)
    config = ConsensusRecorder.Config(**settings)
    return ConsensusRecorder(Dataset.create(), {"exact": exact, "short": short}, config=config)


def feed(rec: ConsensusRecorder) -> ConsensusRecorder:
    for n in range(10):
        rec.evaluate({"x": 0.2 * n}, timestamp=float(n))
    return rec


def test_what_is_disputed_is_recorded_with_its_inputs() -> None:
    dataset = feed(recorder()).dataset
    assert dataset.keys() == ["x", "exact", "short"]
    # 0.2 * 4 = 0.8 is the first where x^5/120 passes 1e-3.
    assert dataset.get_timestamps("x") == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert dataset.get_timestamps("exact") == dataset.get_timestamps("short")
    assert dataset.read("exact", 0) == exact(0.8) and dataset.read("short", 0) == short(0.8)


@pytest.mark.parametrize(("record", "count"), [("mismatches", 6), ("matches", 4), ("all", 10)])
def test_matches_mismatches_or_all_can_be_recorded(record: str, count: int) -> None:
    assert len(feed(recorder(record=record)).dataset) == count


def test_a_disagreement_names_the_field_and_the_error() -> None:
    consensus = recorder()(x=1.0)
    assert not consensus.agree
    (found,) = consensus.disagreements
    assert (found.pair, found.field) == (("exact", "short"), "force")
    assert found.error == pytest.approx(abs(math.sin(1.0) - 5 / 6))
    assert recorder()(0.1).agree


def test_two_copies_of_one_implementation_always_agree() -> None:
    rec = ConsensusRecorder(
        Dataset.create(), {"a": exact, "b": exact}, config={"tolerance": 0.0, "record": "all"}
    )
    for x in (0.0, -1.5, 1e300, math.nan):
        consensus = rec(x=x) if math.isfinite(x) else rec(x=0.0)
        assert consensus.agree
    assert rec.diagnostics.agreement == 1.0


def test_a_nan_on_one_side_is_a_disagreement_and_on_both_none() -> None:
    dx = ConsensusDx()
    assert not dx(a=math.nan, b=1.0).agree
    assert dx(a=math.nan, b=math.nan).agree


def test_an_implementation_can_not_spoil_the_inputs_of_the_next() -> None:
    def greedy(items: list[int]) -> int:
        return items.pop()

    rec = ConsensusRecorder(Dataset.create(), {"a": greedy, "b": greedy}, config={"record": "all"})
    items = [1, 2]
    assert rec(items=items).agree and items == [1, 2]


def test_who_raises_agrees_with_nobody_and_the_others_are_recorded() -> None:
    def broken(x: float) -> Control:
        raise ZeroDivisionError("no gain")

    rec = ConsensusRecorder(Dataset.create(), {"exact": exact, "broken": broken})
    consensus = rec(x=1.0)
    assert not consensus.agree and str(consensus.failures["broken"]) == "no gain"
    assert rec.dataset.keys() == ["x", "exact"] and rec.diagnostics.failures == {"broken": 1}


def test_an_output_with_another_shape_is_a_disagreement() -> None:
    dx = ConsensusDx()
    consensus = dx(a=[1.0, 2.0], b=[1.0])
    assert [d.field for d in consensus.disagreements] == ["[1]"]
    assert repr(consensus.disagreements[0].second) == "absent"


def test_agreement_is_counted_by_pair_and_field() -> None:
    dx = ConsensusDx(config={"tolerance": 0.5})
    for n in range(4):
        dx(a=Control(0.0), b=Control(float(n)), c=Control(0.0, clipped=n == 3))
    stats = dx.statistics()
    assert list(stats) == [("a", "b"), ("a", "c"), ("b", "c")]
    force = stats[("a", "b")]["force"]
    assert (force.compared, force.disagreed, force.max_error) == (4, 3, 3.0)
    assert force.agreement == 0.25 and stats[("a", "c")]["clipped"].disagreed == 1
    assert stats[("a", "c")]["force"].agreement == 1.0


def test_the_level_follows_the_share_of_disputed_inputs() -> None:
    dx = ConsensusDx(config={"warn_rate": 0.2, "error_rate": 0.5, "min_samples": 2})
    levels = []
    for agree in (True, True, False, False, False, True, True, True, True, True):
        dx(a=0.0, b=0.0 if agree else 1.0)
        levels.append(dx.dx.level)
    w, e, ok = Level.WARN, Level.ERROR, Level.OK
    assert levels == [Level.STALE, ok, w, e, e, e, w, w, w, w]
    assert dx.dx.message == "3 of 10 inputs disputed"


def test_components_are_fed_from_ports() -> None:
    class Gain(Component):
        def __init__(self, name: str, k: float) -> None:
            super().__init__(name)
            self.k = k
            self.x = InputPort("x", float)

        def forward(self, x: float) -> dict[str, float]:
            return {"y": self.k * x}

    rec = ConsensusRecorder(Dataset.create(), [Gain("one", 1.0), Gain("two", 2.0)])
    x = rec.add_input("x", float)
    assert not rec.step()
    x.value = 3.0
    assert rec.step() and rec.dataset.read("one.y") == [3.0] and rec.dataset.read("two.y") == [6.0]


@pytest.mark.parametrize(
    ("implementations", "settings", "message"),
    [
        ({"a": exact}, {}, "two implementations or more"),
        ([Component("a"), Component("a")], {}, "two implementations are named 'a'"),
        ({"a": exact, "b": exact}, {"record": "some"}, "may be mismatches, matches or all"),
    ],
)
def test_a_consensus_that_makes_no_sense_is_refused(
    implementations: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ConsensusRecorder(Dataset.create(), implementations, config=settings or None)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, 1.0), (1.0, 1.4), (1.0, 1.6), (math.nan, math.nan), (math.inf, math.inf),
        (math.inf, -math.inf), (math.nan, 1.0), (1, 1), (1, 2), (1, 1.4), (True, True),
        (True, False), ("a", "a"), ("a", "b"), (0.0, -0.0), (2**60, 2**60 + 1),
    ],
)  # fmt: skip
def test_a_number_is_compared_as_datasets_compare_it(a: Any, b: Any) -> None:
    from lk.common.dataset import compare_values

    assert ConsensusDx(config={"tolerance": 0.5})(a=a, b=b).agree == compare_values(a, b, 0.5)[0]


def test_a_number_after_a_nan_does_not_become_the_largest_error() -> None:
    diagnostics = ConsensusDx()
    for b in (5.0, math.nan, 0.1):
        diagnostics(a=0.0, b=b)
    assert math.isnan(diagnostics.statistics()["a", "b"][""].max_error)


def test_an_output_does_not_take_the_place_of_an_input() -> None:
    dataset = Dataset.create()
    rec = ConsensusRecorder(dataset, {"x": exact, "short": short}, config={"record": "all"})
    with pytest.raises(ValueError, match="two values have the key 'x'"):
        rec.evaluate({"x": 1.0}, timestamp=0.0)
    assert dataset.keys() == []


def test_one_implementation_alone_is_no_consensus() -> None:
    with pytest.raises(ValueError, match="two implementations or more"):
        ConsensusDx()(a=1.0)


def test_outputs_without_fields_are_compared_too() -> None:
    diagnostics = ConsensusDx()
    assert diagnostics(a=[], b=[]).agree
    assert not diagnostics(a=[], b={}).agree and not diagnostics(a=[], b=[1.0]).agree
