"""diffdiff: does one dataset say what another one does?"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lk import _lk
from lk.errors import DatasetMismatch, PolicyError, SchemaError, hinted

from .backends.memory import MemoryBackend
from .dataset import Dataset


@dataclass
class KeyDiff:
    """The comparison of one key: A the reference, B the candidate."""

    key: str = ""
    length_a: int = 0
    length_b: int = 0
    #: Compared values without a violation.
    n_matching: int = 0
    #: Compared values with one.
    n_different: int = 0
    #: Largest and mean absolute error of all numbers; None where there are none.
    max_error: float | None = None
    mean_error: float | None = None
    #: The first ten violations, as the report has them.
    mismatches: list[dict[str, Any]] = field(default_factory=list)
    timestamps_match: bool = True
    #: All that the report says of the key.
    report: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def matches(self) -> bool:
        """Whether all values are there and match."""
        whole = not any(self.report.get("messages", {}).get(n) for n in ("missing", "extra", "errors"))
        return self.n_different == 0 and whole and self.length_a == self.length_b


@dataclass
class DiffResult:
    """The comparison of two datasets."""

    keys_match: bool
    timestamps_match: bool
    values_match: bool
    missing_keys_in_b: list[str] = field(default_factory=list)
    extra_keys_in_b: list[str] = field(default_factory=list)
    key_diffs: dict[str, KeyDiff] = field(default_factory=dict)
    #: `identical`, `equal`, `different` or `incomparable`.
    verdict: str = ""
    #: The whole report, as JSON; what `lk diff --json` writes.
    report: str = field(default="", repr=False)
    dataset_a: Dataset | None = field(default=None, repr=False, compare=False)
    dataset_b: Dataset | None = field(default=None, repr=False, compare=False)
    _summary: str = field(default="", repr=False, compare=False)

    @property
    def matches(self) -> bool:
        """Whether the datasets are equal: every key, every time, every value."""
        return self.verdict in ("identical", "equal")

    all_match = matches

    def __bool__(self) -> bool:
        return self.matches

    def summary(self) -> str:
        """A few lines."""
        return self._summary or self.verdict

    def to_str(self, width: int = 100) -> str:
        """The report as text, as `lk diff` prints it."""
        return _lk.report_text(self.report, width)

    def __str__(self) -> str:
        return self.summary()

    def to_dict(self) -> dict[str, Any]:
        """The whole report as plain data."""
        data: dict[str, Any] = json.loads(self.report)
        return data

    @property
    def first_divergence(self) -> dict[str, Any] | None:
        """Where the two part first: key, index, time, field, both values, cause."""
        found: dict[str, Any] | None = self.to_dict()["first_divergence"]
        return found

    def save_to_file(self, path: str | Path) -> None:
        """Writes the report: `.json` for programs, `.xml` as JUnit, else text."""
        path = Path(path)
        text = {".json": lambda: self.report, ".xml": lambda: _lk.report_junit(self.report)}
        path.write_text(text.get(path.suffix.lower(), self.to_str)(), encoding="utf-8")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("plot_"):
            from . import diff_plots

            plot = getattr(diff_plots, name, None)
            if plot is not None:
                return partial(plot, self)
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")


#: What `Dataset.compare` returns, by the seed's name.
DatasetComparison = DiffResult


def diffdiff(
    dataset_a: Dataset,
    dataset_b: Dataset,
    tol: float = 1e-6,
    check_timestamps: bool = True,
    timestamp_tol: float = 1e-3,
    *,
    rules: Sequence[str] = (),
    policy: dict[str, Any] | None = None,
    threads: int = 0,
) -> DiffResult:
    """Compares `dataset_b` with the reference `dataset_a`.

    Args:
        tol: absolute tolerance of floats. Everything else is exact, unless a
            rule says otherwise.
        check_timestamps: whether times further apart than `timestamp_tol`
            seconds are a difference.
        rules: more rules, in the language of `lk diff --tol`:
            `"pose.yaw:abs=1e-3"`, `"**.stamp:ignore"`.
        policy: more of a policy, by the names that `lk.toml` has in
            `[tolerance]`: `{"align": "index", "relative_time": True}`.
        threads: 0 for as many as the machine has; the result is the same.

    Raises:
        PolicyError: a tolerance or rule that makes no sense for these datasets.
        SchemaError: a value in memory that no message type holds.
    """
    ignored = 'a rule says what is not compared: rules=["pose.x:ignore"]'
    seconds = _finite("timestamp_tol", timestamp_tol, "check_timestamps=False compares no times")
    wanted: dict[str, Any] = {
        "default": {"abs": _finite("tol", tol, ignored)},
        "check_timestamps": check_timestamps,
        "timestamp_tol": f"{round(seconds * 1e9)}ns",
        **(policy or {}),
        "rules": [*(policy or {}).get("rules", ()), *rules],
    }
    try:
        text = json.dumps(wanted, allow_nan=False)
    except ValueError as error:
        raise PolicyError("the policy has a number that is infinite or NaN") from error
    report, summary = _lk.diff(*_recordings(dataset_a, dataset_b), text, threads)
    return _result(report, summary, dataset_a, dataset_b)


def _finite(name: str, tolerance: float, hint: str) -> float:
    if not math.isfinite(tolerance):
        raise hinted(PolicyError(f"{name} is {tolerance}: a tolerance must be finite"), hint)
    return float(tolerance)


def _recordings(a: Dataset, b: Dataset) -> tuple[_lk.Recording, _lk.Recording]:
    if a is not b and isinstance(a.backend, MemoryBackend) and isinstance(b.backend, MemoryBackend):
        # An int on one side and a float on the other, or None and a value, are
        # of one type then, as they are within one side.
        try:
            return a.backend.encode(b.backend), b.backend.encode(a.backend)
        except SchemaError:
            pass
    return a._recording(), b._recording()


def _result(report: str, summary: str, a: Dataset, b: Dataset) -> DiffResult:
    data = json.loads(report)
    return DiffResult(
        keys_match=data["keys_match"],
        timestamps_match=data["timestamps_match"],
        values_match=data["values_match"],
        missing_keys_in_b=data["missing_keys_in_b"],
        extra_keys_in_b=data["extra_keys_in_b"],
        key_diffs={key: _key_diff(key, diff) for key, diff in data["key_diffs"].items()},
        verdict=data["verdict"],
        report=report,
        dataset_a=a,
        dataset_b=b,
        _summary=summary,
    )


def _key_diff(key: str, data: dict[str, Any]) -> KeyDiff:
    return KeyDiff(
        key=key,
        length_a=data["length_a"],
        length_b=data["length_b"],
        n_matching=data["n_matching"],
        n_different=data["n_different"],
        max_error=data["max_error"],
        mean_error=data["mean_error"],
        mismatches=data["mismatches"],
        timestamps_match=data["timestamps"]["violations"] == 0,
        report=data,
    )


def compare_values(val_a: Any, val_b: Any, tol: float = 1e-6) -> tuple[bool, float | None]:
    """Whether two values are equal within `tol`, and the largest absolute error.

    The error is None where no numbers were compared.
    """
    a, b = MemoryBackend(), MemoryBackend()
    a.write_ns("value", val_a, 0)
    b.write_ns("value", val_b, 0)
    result = diffdiff(Dataset(a), Dataset(b), tol=tol, check_timestamps=False, threads=1)
    # Two values without a number or text in them, such as None, are equal.
    equal = result.matches or (result.verdict == "incomparable" and result.values_match)
    return equal, result.key_diffs["value"].max_error


def assert_datasets_equal(
    a: Dataset, b: Dataset, tol: float = 1e-6, message: str | None = None, **options: Any
) -> None:
    """Raises where `diffdiff(a, b, tol)` finds a difference.

    Raises:
        DatasetMismatch: an AssertionError, with the summary.
    """
    result = diffdiff(a, b, tol=tol, **options)
    if not result.matches:
        text = result.summary()
        raise DatasetMismatch(f"{message}\n{text}" if message else text)
