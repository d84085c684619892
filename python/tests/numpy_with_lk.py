"""NumPy's comparisons as lk decides them, and NumPy's own tests with these in their place.

What stands in for a function of NumPy translates its arguments alone: an array becomes a
message, `desired` the reference, tolerances a policy. Whether the two are close is what
`lk.diffdiff` says, and the messages are made of the numbers in its report.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import lk

#: The value that is compared, and the elements of an array in it.
KEY, ELEMENTS = "value", "data[*]"


def compare(actual: Any, desired: Any, *rules: str, strict: bool = False, **policy: Any) -> lk.DiffResult:
    """Two values of one key; nothing but what the rules and the policy say is allowed."""
    return compare_each([(KEY, actual, desired)], rules, strict=strict, **policy)


def compare_each(
    values: list[tuple[str, Any, Any]], rules: Collection[str], strict: bool = False, **policy: Any
) -> lk.DiffResult:
    """Values by key: what is, and what is wanted."""
    wanted = {"default": {"abs": 0.0, "rel": 0.0}, **policy}
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for side in (1, 2):
            # In memory an int beside a float is a float; a file keeps what each of them is.
            made = lk.Dataset.create(*(("mcap", Path(folder, f"{side}.mcap")) if strict else ()))
            for value in values:
                made.write(value[0], message(value[side]), timestamp_ns=0)
            made.close()
            sides.append(made)
        return lk.diffdiff(sides[1], sides[0], policy=wanted, rules=list(rules), threads=1)


def message(value: Any) -> Any:
    """An array, or of text a list: lk has no arrays of text."""
    array = np.asanyarray(value)
    return array.tolist() if array.dtype.kind in "SU" else array


def tolerance_rules(key: str, actual: Any, desired: Any, rtol: Any, atol: Any) -> list[str]:
    """A rule that names the elements, so that integers have the tolerance, too.

    A bool and a text take none, and a rule that says so is refused.
    """
    kinds = np.result_type(actual, desired).kind
    named = f"{key}.data:abs={float(atol)!r},rel={float(rtol)!r}"
    return [named] if kinds in "iuf" and (rtol or atol) else []


def close_default(rtol: Any, atol: Any) -> dict[str, float]:
    return {"abs": float(atol), "rel": float(rtol)}


def spread(actual: Any, desired: Any) -> tuple[Any, Any]:
    """A scalar beside an array as an array of that shape, as NumPy's assertions have it."""
    actual, desired = np.asanyarray(actual), np.asanyarray(desired)
    if actual.shape == ():
        return (actual if desired.shape == () else broadcast(actual, desired.shape)), desired
    return actual, (broadcast(desired, actual.shape) if desired.shape == () else desired)


def broadcast(array: Any, shape: tuple[int, ...]) -> Any:
    return np.broadcast_to(array, shape, subok=True)


def assert_allclose(
    actual: Any,
    desired: Any,
    rtol: float = 1e-7,
    atol: float = 0,
    equal_nan: bool = True,
    err_msg: str = "",
    verbose: bool = True,
    *,
    strict: bool = False,
) -> None:
    original = np.asanyarray(actual), np.asanyarray(desired)
    given = original if strict else spread(actual, desired)
    rules = tolerance_rules(KEY, *given, rtol, atol)
    default = close_default(rtol, atol)
    result = compare(*given, *rules, strict=strict, default=default, nan_equal=equal_nan)
    refuse_unless(result, *original)


def assert_array_equal(
    actual: Any, desired: Any, err_msg: str = "", verbose: bool = True, *, strict: bool = False
) -> None:
    original = np.asanyarray(actual), np.asanyarray(desired)
    given = original if strict else spread(actual, desired)
    refuse_unless(compare(*given, strict=strict), *original)


def assert_array_almost_equal(
    actual: Any, desired: Any, decimal: int = 6, err_msg: str = "", verbose: bool = True
) -> None:
    # NumPy's bound is open, and a tolerance of lk's is not.
    bound = float(np.nextafter(1.5 * 10.0**-decimal, 0.0))
    original = np.asanyarray(actual), np.asanyarray(desired)
    given = spread(actual, desired)
    rules = tolerance_rules(KEY, *given, 0.0, bound)
    result = compare(*given, *rules, default=close_default(0.0, bound))
    refuse_unless(result, *original, precision=decimal)


def assert_almost_equal(
    actual: Any, desired: Any, decimal: int = 7, err_msg: str = "", verbose: bool = True
) -> None:
    assert_array_almost_equal(actual, desired, decimal, err_msg, verbose)


def assert_array_max_ulp(a: Any, b: Any, maxulp: float = 1, dtype: Any = None) -> None:
    """lk counts no distances element by element, so that there are none to return."""
    given = as_floats(a, b, dtype)
    refuse_unless(compare(*given, f"{KEY}.data:ulp={int(maxulp)}"), *given)


def assert_array_almost_equal_nulp(x: Any, y: Any, nulp: float = 1) -> None:
    given = as_floats(x, y, None)
    rule = f"{KEY}.data:ulp={int(nulp)}"
    refuse_unless(compare(*given, rule, nan_equal=False), *given)


def as_floats(a: Any, b: Any, dtype: Any) -> tuple[Any, Any]:
    a, b = np.asanyarray(a, dtype=dtype), np.asanyarray(b, dtype=dtype)
    common = np.common_type(a, b)
    return a.astype(common), b.astype(common)


def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    a, b = with_weak_scalars(a, b)
    a, b, rtol, atol = np.broadcast_arrays(a, b, np.asanyarray(rtol), np.asanyarray(atol), subok=True)
    values, rules = [], []
    for n, (x, y, relative, absolute) in enumerate(zip(a.flat, b.flat, rtol.flat, atol.flat)):
        key, x, y = f"e{n}", np.asanyarray(x), np.asanyarray(y)
        # An element of a masked or otherwise special array is as special as the array.
        values.append((key, *(v if type(w) is np.ndarray else w for v, w in ((x, a), (y, b)))))
        rules += tolerance_rules(key, x, y, relative, absolute)
    found = compare_each(values, rules, nan_equal=equal_nan).key_diffs if values else {}
    close = [found[key].matches for key, _, _ in values]
    return np.array(close, dtype=bool).reshape(a.shape)[()]


def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    if np.ndim(rtol) or np.ndim(atol):
        return bool(np.all(isclose(a, b, rtol, atol, equal_nan)))
    a, b = np.broadcast_arrays(*with_weak_scalars(a, b), subok=True)
    rules = tolerance_rules(KEY, a, b, rtol, atol)
    return compare(a, b, *rules, nan_equal=equal_nan).matches


def with_weak_scalars(a: Any, b: Any) -> tuple[Any, Any]:
    """Numbers of Python have the type of the array beside them."""
    common = None
    if isinstance(a, (int, float, complex)) != isinstance(b, (int, float, complex)):
        given = [v if isinstance(v, (int, float, complex)) else np.asanyarray(v) for v in (a, b)]
        common = np.result_type(*given)
    typed = [np.asanyarray(v, common if isinstance(v, (int, float, complex)) else None) for v in (a, b)]
    return typed[0], typed[1]


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    return compare(a1, a2, nan_equal=equal_nan).matches


def array_equiv(a1: Any, a2: Any) -> bool:
    a1, a2 = np.asanyarray(a1), np.asanyarray(a2)
    try:
        a1, a2 = np.broadcast_arrays(a1, a2, subok=True)
    except ValueError:
        # Shapes that don't fit together are for lk to find.
        pass
    return compare(a1, a2, nan_equal=False).matches


def refuse_unless(result: lk.DiffResult, actual: Any, desired: Any, precision: int = 6) -> None:
    if not result.matches:
        numbers, arrays = told(result, actual, desired), [actual, desired]
        text = np.testing.build_err_msg(arrays, f"\n{numbers}", header="By lk:", precision=precision)
        raise AssertionError(f"{text}\n{result.to_str()}")


def told(result: lk.DiffResult, actual: Any, desired: Any) -> str:
    """The numbers of lk's report in the words of NumPy."""
    report = result.key_diffs[KEY].report
    elements = next((f for f in report["fields"] if f["path"] == ELEMENTS), None)
    found = [m for m in report["mismatches"] if m["path"].startswith("data[")]
    if elements is None or not found or {actual.dtype.kind, desired.dtype.kind} - set("biuf"):
        return ""
    # Of NaN and infinity the report has the names.
    pairs = [(float(m["b"]), float(m["a"])) for m in found]
    for special, name in ((np.isnan, "nan"), (np.isinf, "inf")):
        if any(special(is_) != special(wanted) for is_, wanted in pairs):
            return f"{name} location mismatch:"
    if any(np.isinf(is_) for is_, _ in pairs):
        return "inf values mismatch:"
    bad, all_ = elements["values"]["violations"], elements["values"]["compared"]
    lines = [f"Mismatched elements: {bad} / {all_} ({100 * bad / all_:.3g}%)"]
    shape = np.broadcast_shapes(actual.shape, desired.shape)
    if shape:
        one = "Mismatch at index:" if bad == 1 else "Mismatch at indices:"
        lines.append(one if bad <= 5 else "First 5 mismatches are at indices:")
        for m in found[:5]:
            place = [int(n) for n in np.unravel_index(int(m["path"][5:-1]), shape)]
            is_, wanted = actual.dtype.type(m["b"]), desired.dtype.type(m["a"])
            lines.append(f" {place}: {is_} (ACTUAL), {wanted} (DESIRED)")
    if all(m["error"] is not None for m in found):
        errors = [m["error"] for m in found]
        relative = [error / abs(wanted) for error, (_, wanted) in zip(errors, pairs) if wanted]
        whole = np.result_type(actual, desired).kind in "iu"
        for what, worst in (
            ("absolute", int(max(errors)) if whole else max(errors)),
            ("relative", max(relative, default=np.inf)),
        ):
            lines.append(f"Max {what} difference among violations: {np.array2string(np.asarray(worst))}")
    return "\n".join(lines)


#: What stands in for what.
STAND_INS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        assert_allclose,
        assert_array_equal,
        assert_array_almost_equal,
        assert_almost_equal,
        assert_array_max_ulp,
        assert_array_almost_equal_nulp,
        isclose,
        allclose,
        array_equal,
        array_equiv,
    )
}


def missing_types(values: tuple[Any, ...]) -> set[str]:
    """What is in some values that no message type of lk holds."""
    missing = set()
    for value in values:
        array = np.asanyarray(value)
        kinds = {"c": "complex", "O": "object", "m": "time", "M": "time", "V": "structured"}
        if isinstance(array, np.ma.MaskedArray):
            missing.add("masked")
        elif type(array) is not np.ndarray:
            missing.add("subclass")
        if array.dtype.kind in kinds:
            missing.add(kinds[array.dtype.kind])
        elif array.dtype.char == "g" and array.dtype.itemsize > 8:
            missing.add("longdouble")
        elif array.dtype.char == "e":
            missing.add("float16")
    return missing


@dataclass
class Calls:
    """What came of the calls that one test made."""

    #: Calls where the two don't say the same, by the test's list.
    listed: Collection[int] = ()
    #: How many lk decided.
    decided: int = 0
    #: Calls where the two did not say the same, and what they said.
    different: dict[int, str] = field(default_factory=dict)
    #: What was in values that lk refused, which are left to NumPy.
    left_out: set[str] = field(default_factory=set)
    made: int = 0

    def complaints(self, left_out: Collection[str]) -> list[str]:
        """How the calls were other than what is listed."""
        stale = [f"call {n} is listed, and no different" for n in self.listed if n not in self.different]
        new = [f"call {n}: {said}" for n, said in self.different.items() if n not in self.listed]
        gone = [f"{name} is listed as left out, and was not" for name in set(left_out) - self.left_out]
        more = [f"{name} was left out, and is not listed" for name in self.left_out - set(left_out)]
        return stale + new + gone + more


def outcome(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[str, Any]:
    """The name of the error, or what was returned; nothing where it is an assertion."""
    try:
        value = function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__, error
    return "", None if function.__name__.startswith("assert_") else value


def same(ours: tuple[str, Any], theirs: tuple[str, Any]) -> bool:
    if ours[0] or theirs[0]:
        return ours[0] == theirs[0]
    return type(ours[1]) is type(theirs[1]) and bool(np.array_equal(ours[1], theirs[1]))


class Bench:
    """NumPy's functions as a test sees them while it runs."""

    def __init__(self) -> None:
        self.calls = Calls()

    def stand_in(self, original: Callable[..., Any]) -> Callable[..., Any]:
        ours = STAND_INS[original.__name__]

        def call(*args: Any, **kwargs: Any) -> Any:
            calls, number = self.calls, self.calls.made
            calls.made += 1
            said = outcome(ours, args, kwargs)
            if said[0] == "SchemaError" and (missing := missing_types(args[:2])):
                calls.left_out |= missing
                return original(*args, **kwargs)
            calls.decided += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = outcome(original, args, kwargs)
            if not same(said, theirs):
                text = f"{original.__name__}{args}{kwargs or ''}"
                calls.different[number] = f"{text}: lk says {said}, NumPy says {theirs}"
                if number in calls.listed:
                    # So that the calls behind it are held against NumPy, too.
                    return original(*args, **kwargs)
            if isinstance(said[1], Exception):
                raise said[1]
            return said[1]

        return call

    def load(self, name: str) -> ModuleType:
        """A copy of a module of NumPy's tests in which lk decides."""
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None, f"NumPy came without {name}"
        own_name = f"{__name__}.{name.rpartition('.')[2]}"
        spec = importlib.util.spec_from_file_location(own_name, found.origin)
        assert spec is not None and spec.loader is not None
        module = sys.modules[own_name] = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            # Of marks that NumPy's own settings have.
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
        replaced = {"np": Numpy(self), **{n: f for n, f in vars(module).items() if n in STAND_INS}}
        for shadowed, function in replaced.items():
            setattr(module, shadowed, function if shadowed == "np" else self.stand_in(function))
        return module


class Numpy:
    """`np`, but for what lk decides."""

    def __init__(self, bench: Bench, module: ModuleType = np) -> None:
        self._bench, self._module = bench, module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if found is np.testing:
            return Numpy(self._bench, np.testing)
        return self._bench.stand_in(found) if name in STAND_INS else found
