"""NumPy's own tests of its comparisons agree with lk, but for what is listed here.

Every call in them is decided by lk, and NumPy decides it beside that. What lk has no type
for is left to NumPy. Both lists are exact: what is on them and not so fails as well.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lk
from numpy_with_lk import STAND_INS, Bench, Calls, outcome, same

BENCH = Bench()
COMPARISONS = BENCH.load("numpy.testing.tests.test_utils")
NUMERIC = BENCH.load("numpy._core.tests.test_numeric")

#: The classes that are run.
RUN = {
    COMPARISONS: (
        "TestArrayEqual",
        "TestArrayAlmostEqual",
        "TestAlmostEqual",
        "TestAssertAllclose",
        "TestArrayAlmostEqualNulp",
        "TestULP",
    ),
    NUMERIC: ("TestAllclose", "TestIsclose", "TestArrayComparisons"),
}

#: The other tests of these modules that name such a comparison, or are no class; and why not.
_WARNINGS = "of warnings and of files, not of a comparison"
NOT_RUN = {
    COMPARISONS: {
        "TestBuildErrorMessage": "the text of messages, whatever made them",
        "TestEqual": "assert_equal goes into lists and dicts of Python, and tells zeros by their sign",
        "TestApproxEqual": "significant digits of a mean of both sides: lk has no such tolerance",
        "TestArrayAssertLess": "an order, and no equality",
        "TestStringEqual": "text by regular expressions",
        "TestAssertNoGcCycles": "of the collector of garbage",
        "TestWarns": _WARNINGS,
        "test_warn_len_equal_call_scenarios": _WARNINGS,
        "test_clear_and_catch_warnings": _WARNINGS,
        "test_clear_and_catch_warnings_inherit": _WARNINGS,
        "test_suppress_warnings_module": _WARNINGS,
        "test_suppress_warnings_type": _WARNINGS,
        "test_suppress_warnings_decorate_no_record": _WARNINGS,
        "test_suppress_warnings_record": _WARNINGS,
        "test_suppress_warnings_forwarding": _WARNINGS,
        "test_tempdir": _WARNINGS,
        "test_temppath": _WARNINGS,
    },
    NUMERIC: {"TestNonzero": "takes array_equal for a tool, to look at something else"},
}
#: Tests of the classes that are run that call no comparison.
IDLE = {"TestArrayComparisons.test_none_compares_elementwise"}

#: What lk has no message type for, and refuses by name.
NO_TYPE = {
    "complex": "no message has complex numbers; two fields have the parts",
    "float16": "no message has it, and an ULP is one of its own width",
    "longdouble": "no message has it, and float64 would round",
    "time": "datetime64 and timedelta64 are no messages; an int64 has the nanoseconds",
    "object": "an array of anything has no type",
    "structured": "a record array is no message; a dataclass is",
    "masked": "a message has no mask: what is not to be compared is ignored by a rule",
    "subclass": "a subclass of ndarray may mean something else by its numbers",
}

#: Which of them occur in what test.
LEFT_OUT = {
    "TestArrayEqual.test_0_ndim_array": {"object"},
    "TestArrayEqual.test_generic_rank1": {"complex", "longdouble"},
    "TestArrayEqual.test_generic_rank3": {"complex", "longdouble"},
    "TestArrayEqual.test_masked_nan_inf": {"masked"},
    "TestArrayEqual.test_masked_scalar": {"masked"},
    "TestArrayEqual.test_objarray": {"object"},
    "TestArrayEqual.test_recarrays": {"structured"},
    "TestArrayEqual.test_subclass_that_does_not_implement_npall": {"subclass"},
    "TestArrayEqual.test_subclass_that_overrides_eq": {"subclass"},
    "TestArrayAlmostEqual.test_complex_inf": {"complex"},
    "TestArrayAlmostEqual.test_objarray": {"object"},
    "TestArrayAlmostEqual.test_subclass": {"masked"},
    "TestArrayAlmostEqual.test_subclass_2": {"subclass"},
    "TestArrayAlmostEqual.test_subclass_that_cannot_be_bool": {"subclass"},
    "TestAlmostEqual.test_complex": {"complex"},
    "TestAlmostEqual.test_complex_item": {"complex"},
    "TestAlmostEqual.test_objarray": {"object"},
    "TestAlmostEqual.test_subclass_that_cannot_be_bool": {"subclass"},
    "TestAssertAllclose.test_equal_nan": {"complex"},
    "TestAssertAllclose.test_infs": {"complex"},
    "TestAssertAllclose.test_not_equal_nan": {"complex"},
    "TestAssertAllclose.test_timedelta": {"time"},
    "TestArrayAlmostEqualNulp.test_complex128_fail": {"complex"},
    "TestArrayAlmostEqualNulp.test_complex128_pass": {"complex"},
    "TestArrayAlmostEqualNulp.test_complex64_fail": {"complex"},
    "TestArrayAlmostEqualNulp.test_complex64_pass": {"complex"},
    "TestArrayAlmostEqualNulp.test_float16_fail": {"float16"},
    "TestArrayAlmostEqualNulp.test_float16_ignore_nan": {"float16"},
    "TestArrayAlmostEqualNulp.test_float16_pass": {"float16"},
    "TestAllclose.test_return_class_is_ndarray": {"subclass"},
    "TestIsclose.test_masked_arrays": {"masked"},
    "TestIsclose.test_timedelta": {"time"},
    "TestArrayComparisons.test_array_equal_equal_nan": {"complex", "time"},
    "TestArrayComparisons.test_compare_unstructured_voids": {"structured"},
}
if np.dtype(np.longdouble).itemsize == 8:
    LEFT_OUT = {test: names - {"longdouble"} for test, names in LEFT_OUT.items()}

#: Where lk says something else than NumPy: who is right, and why.
REASONS = {
    "2^53": (
        "lk",
        "NumPy compares integers at a tolerance as float64, in which 2^53 and 2^53 + 1 are one"
        " number. lk subtracts them as integers.",
    ),
    "wrapped": (
        "lk",
        "NumPy subtracts integers in their own type, where 10 - 200 is 66, and the largest int64"
        " one away from the least. In lk a distance is as large as it is.",
    ),
    "bool": ("lk", "True is no amount away from False: in lk a bool is exact at any tolerance."),
    "infinity": (
        "lk",
        "By their bits an infinity is one ULP from the largest float. In lk an infinity is close to"
        " itself alone, as it is in NumPy's other comparisons.",
    ),
    "NaN": (
        "lk",
        "By its bits a NaN is so many ULP from a number, and a large tolerance lets it pass. In lk"
        " NaN on one side alone is a difference.",
    ),
    "rounded bound": (
        "lk",
        "NumPy rounds the tolerance to float32 where the numbers are. In lk it is what was said.",
    ),
    "endless bound": ("lk", "At a tolerance of infinity or NaN NumPy warns. lk refuses it."),
    "spacing": (
        "either",
        "assert_array_almost_equal_nulp counts in spacings of the larger number, which below a power"
        " of two are two ULP each. lk's ulp counts floats, as assert_array_max_ulp does.",
    ),
    "integers beside floats": (
        "either",
        "NumPy compares integers beside floats, or int64 beside uint64, as float64, and rounds them."
        " In lk both sides must be of one type, or fit into one without rounding.",
    ),
}


@dataclass(frozen=True)
class Different:
    """Calls of a test, counted from 0, that lk and NumPy say different things of."""

    reason: str
    calls: Collection[int]


DIFFERENT = {
    "TestULP.test_inf": Different("infinity", (0, 1)),
    "TestIsclose.test_nep50_isclose": Different("rounded bound", (1, 2)),
    "TestIsclose.test_tol_warnings": Different("endless bound", range(8)),
}


def cases(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """What a test is parametrized by; all of it is one test here."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    if not marks:
        yield {}
    for mark in marks:
        names = [name.strip() for name in mark.args[0].split(",")]
        for values in mark.args[1]:
            yield dict(zip(names, values if len(names) > 1 else (values,)))


def held_against_numpy(test: Callable[..., None], name: str) -> Callable[[Any], None]:
    listed = DIFFERENT[name].calls if name in DIFFERENT else ()

    @functools.wraps(test)
    def run(self: Any) -> None:
        BENCH.calls = calls = Calls(listed)
        try:
            for case in cases(test):
                test(self, **case)
        except Exception as error:
            error.add_note("\n".join([f"{name}, with lk in place of NumPy:", *calls.complaints(())]))
            raise
        complaints = calls.complaints(LEFT_OUT.get(name, ()))
        assert not complaints, "\n".join([name, *complaints])
        assert bool(calls.made) is (name not in IDLE), f"{name} makes {calls.made} calls"

    # Its parameters are no fixtures here.
    del run.__wrapped__
    run.__dict__.pop("pytestmark", None)
    return run


for _module, _names in RUN.items():
    for _name in _names:
        _theirs = getattr(_module, _name)
        _tests = [n for n in dir(_theirs) if n.startswith("test_")]
        _ours = {n: held_against_numpy(getattr(_theirs, n), f"{_name}.{n}") for n in _tests}
        globals()[_name] = type(_name, (_theirs,), {**_ours, "__module__": __name__})


def test_every_test_of_numpy_is_run_or_listed() -> None:
    for module, run in RUN.items():
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        named = [node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
        tests = [node for node in named if node.name.lower().startswith("test")]
        if module is NUMERIC:
            tests = [test for test in tests if any(map(is_of_numpy, ast.walk(test)))]
        assert {test.name for test in tests} == {*run, *NOT_RUN[module]}, module.__name__


def is_of_numpy(node: ast.AST) -> bool:
    """Whether it is `np.isclose` or the like, as tests of NumPy's numbers write it."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in STAND_INS
        and isinstance(node.value, ast.Name)
        and node.value.id == "np"
    )


def test_every_entry_of_the_lists_is_a_test_and_has_a_reason() -> None:
    known = {f"{name}.{test}" for names in RUN.values() for name in names for test in dir(globals()[name])}
    assert {*LEFT_OUT, *DIFFERENT, *IDLE} <= known
    assert {name for names in LEFT_OUT.values() for name in names} <= set(NO_TYPE)
    assert {different.reason for different in DIFFERENT.values()} <= set(REASONS)
    assert {case[0] for case in SIDE_BY_SIDE} == set(REASONS)


INT64, FLOAT64 = np.iinfo(np.int64), np.finfo(np.float64)
BELOW_ONE = 1.0 - float(FLOAT64.eps)

#: A reason; a comparison; whether it passes, or what it gives, by NumPy and by lk.
SIDE_BY_SIDE: list[tuple[str, str, tuple[Any, ...], dict[str, Any], Any, Any]] = [
    ("2^53", "assert_allclose", ([2**53 + 1], [2**53]), {"rtol": 0}, True, False),
    ("2^53", "isclose", (2**53 + 1, 2**53), {"rtol": 0, "atol": 0}, np.True_, np.False_),
    ("wrapped", "assert_almost_equal", (np.uint8(200), np.uint8(10)), {"decimal": -2}, True, False),
    ("wrapped", "assert_almost_equal", (np.int64(INT64.min), np.int64(INT64.max)), {"decimal": 0}, True, False),
    ("wrapped", "assert_array_almost_equal_nulp", (np.array([INT64.min]), np.array([INT64.max])), {}, True, False),
    ("bool", "assert_allclose", ([True], [False]), {"atol": 1}, True, False),
    ("bool", "isclose", (True, False), {"atol": 1}, np.True_, np.False_),
    ("infinity", "assert_array_max_ulp", ([np.inf], [FLOAT64.max]), {"maxulp": 1}, True, False),
    ("NaN", "assert_array_max_ulp", ([np.nan], [np.inf]), {"maxulp": 2**52}, True, False),
    ("rounded bound", "assert_allclose", (np.float32(1), np.float32(0)), {"atol": BELOW_ONE}, True, False),
    ("endless bound", "isclose", (1.0, 5.0), {"atol": np.inf}, np.True_, "PolicyError"),
    ("spacing", "assert_array_almost_equal_nulp", (1.0, 1.0 - FLOAT64.eps), {"nulp": 1}, True, False),
    ("integers beside floats", "array_equal", ([2**53 + 1], [2.0**53]), {}, True, False),
    ("integers beside floats", "array_equal", ([2**60], [2.0**60]), {}, True, False),
    ("integers beside floats", "array_equal", (np.array([2**60]), np.array([2**60], np.uint64)), {}, True, False),
]


def answer(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    error, value = outcome(function, args, kwargs)
    if error in ("", "AssertionError") and function.__name__.startswith("assert_"):
        return not error
    return error or value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("reason", "name", "args", "kwargs", "numpy", "lk_"), SIDE_BY_SIDE)
def test_numpy_says_one_thing_and_lk_another(
    reason: str, name: str, args: Any, kwargs: Any, numpy: Any, lk_: Any
) -> None:
    original = getattr(np, name, None) or getattr(np.testing, name)
    assert answer(original, args, kwargs) is numpy, REASONS[reason]
    found = answer(STAND_INS[name], args, kwargs)
    assert found is lk_ or found == lk_ == "PolicyError", REASONS[reason]


def test_what_lk_says_of_the_four_without_anything_between() -> None:
    def verdict(a: Any, b: Any, **options: Any) -> str:
        sides = lk.Dataset.create(), lk.Dataset.create()
        for dataset, value in zip(sides, (a, b)):
            dataset.write("x", value, timestamp=0.0)
        return lk.diffdiff(*sides, **options).verdict

    assert verdict(2**53, 2**53 + 1) == "different"
    assert verdict(2**53, 2**53 + 1, rules=["x.data:abs=1"]) == "equal"
    assert verdict(np.uint8(10), np.uint8(200), rules=["x.data:abs=189"]) == "different"
    assert verdict(np.uint8(10), np.uint8(200), rules=["x.data:abs=190"]) == "equal"
    assert verdict(INT64.min, INT64.max, rules=["x.data:abs=1.8446744073709549e19"]) == "different"
    assert verdict(INT64.min, INT64.max, rules=["x.data:abs=1.8446744073709552e19"]) == "equal"
    assert verdict(True, False, tol=1.0) == "different"
    with pytest.raises(lk.PolicyError, match="bool"):
        verdict(True, False, rules=["x.data:abs=1"])
    assert verdict(np.inf, FLOAT64.max, rules=["x.data:ulp=1"]) == "different"
    assert verdict(np.nextafter(FLOAT64.max, 0.0), FLOAT64.max, rules=["x.data:ulp=1"]) == "equal"


def test_the_distance_that_lk_reports_of_wrapped_integers_is_the_true_one() -> None:
    values = np.array([10], np.uint8), np.array([200], np.uint8)
    texts = [str(outcome(f, values, {})[1]) for f in (np.testing.assert_array_equal, STAND_INS["assert_array_equal"])]
    assert "Max absolute difference among violations: 66" in texts[0]
    assert "Max absolute difference among violations: 190" in texts[1]


@pytest.mark.parametrize(
    ("different", "left_out", "complaint"),
    [
        ((), (), "call 0: assert_array_max_ulp"),
        ((0, 1), (), "call 1 is listed, and no different"),
        ((0,), ("complex",), "complex is listed as left out, and was not"),
    ],
)
def test_lists_that_are_not_exact_fail(
    monkeypatch: pytest.MonkeyPatch, different: tuple[int, ...], left_out: tuple[str, ...], complaint: str
) -> None:
    def theirs(self: Any) -> None:
        call = BENCH.stand_in(np.testing.assert_array_max_ulp)
        call(np.array([np.inf]), np.array([FLOAT64.max]))
        call(np.array([1.0]), np.array([1.0]))

    monkeypatch.setitem(DIFFERENT, "theirs", Different("infinity", different))
    monkeypatch.setitem(LEFT_OUT, "theirs", set(left_out))
    with pytest.raises(AssertionError) as caught:
        held_against_numpy(theirs, "theirs")(None)
    assert complaint in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


def test_what_lk_refuses_without_being_listed_fails() -> None:
    def theirs(self: Any) -> None:
        call = BENCH.stand_in(np.testing.assert_array_equal)
        call(np.array([1j]), np.array([1j]))

    with pytest.raises(AssertionError, match="complex was left out, and is not listed"):
        held_against_numpy(theirs, "theirs")(None)


def test_answers_of_other_types_are_not_the_same() -> None:
    assert same(("", np.True_), ("", np.True_)) and not same(("", True), ("", np.True_))
    assert not same(("", np.array([True, False])), ("", np.array([True, True])))
    assert not same(("ValueError", None), ("TypeError", None))
