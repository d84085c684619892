"""diffdiff by the seed's names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lk


@dataclass
class Pose:
    x: float
    name: str


def poses(count: int = 10, wrong: int | None = None, key: str = "pose", late: float = 0.0) -> lk.Dataset:
    dataset = lk.Dataset.create()
    for n in range(count):
        x = n + (0.5 if n == wrong else 0.0)
        dataset.write(key, Pose(x, "p"), timestamp=n * 0.1 + late)
    return dataset


def test_a_wrong_value_is_found_and_located() -> None:
    result = lk.diffdiff(poses(), poses(wrong=4))
    assert not result.matches and not result.values_match
    assert result.keys_match and result.timestamps_match
    diff = result.key_diffs["pose"]
    assert (diff.length_a, diff.length_b, diff.n_matching, diff.n_different) == (10, 10, 9, 1)
    assert diff.max_error == 0.5
    assert result.first_divergence is not None and result.first_divergence["index"] == 4
    assert "x" in result.summary() and "x" in result.to_str()


def test_equal_within_the_tolerance_and_different_beyond_it() -> None:
    assert lk.diffdiff(poses(), poses(wrong=4), tol=0.5).matches
    assert not lk.diffdiff(poses(), poses(wrong=4), tol=0.49).matches
    assert poses().compare(poses(wrong=4), tolerance=0.5).matches


def test_times_have_a_tolerance_of_their_own() -> None:
    assert lk.diffdiff(poses(), poses(late=0.0009)).matches
    late = lk.diffdiff(poses(), poses(late=0.002))
    assert not late.timestamps_match and late.values_match and not late.matches
    assert lk.diffdiff(poses(), poses(late=0.002), timestamp_tol=0.003).matches
    assert lk.diffdiff(poses(), poses(late=0.002), check_timestamps=False).matches


def test_missing_and_extra_keys_are_named() -> None:
    result = lk.diffdiff(poses(key="a"), poses(key="b"))
    assert result.missing_keys_in_b == ["a"] and result.extra_keys_in_b == ["b"]
    assert not result.keys_match


def test_a_message_that_is_missing_is_a_difference() -> None:
    result = lk.diffdiff(poses(10), poses(9))
    assert not result.matches and not result.key_diffs["pose"].matches


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1.0, 1.5, (False, 0.5)),
        (1.0, 1.0 + 1e-7, (True, pytest.approx(1e-7, rel=1e-6))),
        (1, 1.0, (True, 0.0)),
        (1, 2, (False, 1.0)),
        ("a", "a", (True, None)),
        ("a", "b", (False, None)),
        ("a", 1, (False, None)),
        (None, None, (True, None)),
        (None, 1.0, (False, None)),
        ([1.0, 2.0], [1.0, 2.0, 3.0], (False, 0.0)),
        ({"a": 1.0}, {"a": 1.0}, (True, 0.0)),
        ({"a": 1.0}, {"b": 1.0}, (False, None)),
        (np.zeros(3), np.ones(3), (False, 1.0)),
        (Pose(1.0, "a"), Pose(1.0, "b"), (False, 0.0)),
        (float("nan"), float("nan"), (True, None)),
        (b"a", b"a", (True, 0.0)),
        ([], [], (True, None)),
    ],
    ids=repr,
)
def test_two_values_match_or_not_with_the_largest_error(a: Any, b: Any, expected: Any) -> None:
    assert lk.compare_values(a, b) == expected


def test_an_assertion_carries_the_summary() -> None:
    lk.assert_datasets_equal(poses(), poses())
    with pytest.raises(lk.DatasetMismatch, match="regression\n.*different") as caught:
        lk.assert_datasets_equal(poses(), poses(wrong=1), 1e-6, "regression")
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, lk.Error)


def test_rules_and_policies_are_those_of_the_command(tmp_path: Path) -> None:
    assert lk.diffdiff(poses(), poses(wrong=4), rules=["pose.x:abs=0.6"]).matches
    with pytest.raises(lk.PolicyError, match="nowhere"):
        lk.diffdiff(poses(), poses(), rules=["nowhere.x:abs=1"])
    with pytest.raises(ValueError, match="tolerance"):
        lk.diffdiff(poses(), poses(), tol=-1.0)
    with pytest.raises(lk.PolicyError, match="policy"):
        lk.diffdiff(poses(), poses(), policy={"no_such_thing": 1})
    assert lk.diffdiff(poses(), poses(late=9.0), policy={"relative_time": True}).matches


def test_a_report_is_saved_as_text_json_or_junit(tmp_path: Path) -> None:
    result = poses().diffdiff(poses(wrong=4), output_file=tmp_path / "report.txt")
    assert (tmp_path / "report.txt").read_text() == result.to_str()
    result.save_to_file(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == result.to_dict()
    result.save_to_file(tmp_path / "report.xml")
    assert (tmp_path / "report.xml").read_text().startswith("<?xml")


def test_the_result_does_not_depend_on_the_backend(tmp_path: Path) -> None:
    reference = poses()
    for name in ("a.mcap", "a.pkl"):
        poses(wrong=4).save(tmp_path / name)
        loaded = lk.Dataset.load(tmp_path / name)
        result = lk.diffdiff(reference, loaded)
        assert result.key_diffs["pose"].n_different == 1, name
        assert lk.diffdiff(loaded, loaded).verdict == "identical"


def test_the_type_of_a_key_is_that_of_both_sides() -> None:
    def dataset(*values: Any) -> lk.Dataset:
        made = lk.Dataset.create()
        for n, value in enumerate(values):
            made.write("value", value, timestamp=float(n))
        return made

    assert lk.diffdiff(dataset(1, 2), dataset(1.0, 2.0)).matches
    assert lk.diffdiff(dataset(1, None), dataset(1.0, None)).matches
    assert not lk.diffdiff(dataset(1, None), dataset(None, None)).matches


def test_rules_of_a_policy_and_rules_beside_it_all_count() -> None:
    a, b = lk.Dataset.create(), lk.Dataset.create()
    for dataset, shift in ((a, 0.0), (b, 0.5)):
        dataset.write("x", shift, timestamp=0.0)
        dataset.write("y", shift, timestamp=0.0)
    policy = {"rules": ["x:abs=1.0"]}
    assert not lk.diffdiff(a, b, policy=policy).matches
    assert lk.diffdiff(a, b, rules=["y:abs=1.0"], policy=policy).matches


def test_a_tolerance_may_be_a_number_of_numpy() -> None:
    assert lk.compare_values(1.0, 1.25, np.float32(0.5)) == (True, 0.25)


@pytest.mark.parametrize("endless", [float("inf"), float("nan")])
def test_a_tolerance_without_an_end_is_refused_by_its_name(endless: float) -> None:
    for name in ("tol", "timestamp_tol"):
        with pytest.raises(lk.PolicyError, match=f"^{name} is {endless}: .* finite") as caught:
            lk.diffdiff(poses(), poses(), **{name: endless})
        assert "hint" in caught.value.__notes__[0]
    with pytest.raises(lk.PolicyError, match="infinite or NaN"):
        lk.diffdiff(poses(), poses(), policy={"default": {"abs": endless}})
