"""Where several implementations of one component agree, and where they don't."""

from __future__ import annotations

import copy
import inspect
import itertools
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lk.common.component import Component
from lk.common.dataset.fields import leaves
from lk.common.dataset.recorder import DataRecorder
from lk.common.dx import Level

if TYPE_CHECKING:
    from lk.common.dataset.dataset import Dataset
    from lk.common.node import Node

__all__ = ["Consensus", "ConsensusDx", "ConsensusRecorder", "Disagreement", "FieldStats"]

#: Two of the implementations, in the order in which they were given.
Pair = tuple[str, str]


@dataclass(frozen=True)
class Disagreement:
    """A field in which two outputs differ by more than the tolerance."""

    pair: Pair
    #: The path in the outputs; empty for the whole.
    field: str
    first: Any
    second: Any
    #: The absolute difference of numbers; None for all else.
    error: float | None


@dataclass(frozen=True)
class Consensus:
    """What several implementations made of the same inputs."""

    outputs: dict[str, Any]
    #: What implementations raised, by name; who raises agrees with nobody.
    failures: dict[str, Exception] = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)
    #: How many fields of how many pairs were compared.
    compared: dict[Pair, dict[str, float | None]] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether all of them answered, and within tolerance the same."""
        return not self.disagreements and not self.failures


def compare_outputs(
    outputs: Mapping[str, Any],
    tolerance: float,
    failures: Mapping[str, Exception] | None = None,
) -> Consensus:
    """Compares each implementation's output with each other's, field by field.

    ``tolerance`` is absolute, as in ``compare_values``; a field that only one side has
    is a disagreement.
    """
    # What has no fields, such as an empty list, is compared as a whole.
    fields = {name: dict(leaves(value)) or {"": value} for name, value in outputs.items()}
    disagreements: list[Disagreement] = []
    compared: dict[Pair, dict[str, float | None]] = {}
    for pair in itertools.combinations(fields, 2):
        first, second = fields[pair[0]], fields[pair[1]]
        errors = compared.setdefault(pair, {})
        for path in dict.fromkeys([*first, *second]):
            a, b = first.get(path, _ABSENT), second.get(path, _ABSENT)
            if a is _ABSENT or b is _ABSENT:
                match, error = False, None
            else:
                match, error = _compared(a, b, tolerance)
            errors[path] = error
            if not match:
                disagreements.append(Disagreement(pair, path, a, b, error))
    return Consensus(dict(outputs), dict(failures or {}), disagreements, compared)


def _compared(a: Any, b: Any, tolerance: float) -> tuple[bool, float | None]:
    """As ``compare_values``, without its way through messages for a single number."""
    if isinstance(a, (float, np.floating)) or isinstance(b, (float, np.floating)):
        if _is_number(a) and _is_number(b):
            if a == b or (a != a and b != b):
                return True, 0.0
            error = abs(float(a) - float(b))
            return error <= tolerance, error
    elif type(a) is type(b) and isinstance(a, (bool, int, str)):
        both = _is_number(a) and _is_number(b)
        return a == b, float(abs(a - b)) if both else None
    from lk.common.dataset.diff import compare_values

    return compare_values(a, b, tolerance)


def _is_number(value: Any) -> bool:
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool)


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()


@dataclass
class FieldStats:
    """How often two implementations agreed in a field."""

    compared: int = 0
    disagreed: int = 0
    #: The largest absolute difference of numbers so far; 0 where there were none.
    max_error: float = 0.0

    @property
    def agreement(self) -> float:
        """The share that agreed, 0 to 1; NaN before the first."""
        return 1.0 - self.disagreed / self.compared if self.compared else math.nan


class ConsensusDx(Component):
    """Statistics of agreement by pair and field, and how well that is.

    ``dx.level`` turns to warn and to error when the share of inputs on which not all
    agree reaches ``warn_rate`` and ``error_rate``, and back when it falls below.
    """

    @dataclass
    class Config:
        """What is too much disagreement."""

        #: The largest absolute difference that is still agreement.
        tolerance: float = 1e-6
        #: Shares of inputs, 0 to 1.
        warn_rate: float = 0.01
        error_rate: float = 0.1
        #: So many inputs are needed before it says anything.
        min_samples: int = 10

    def __init__(
        self, name: str | None = None, node: Node | None = None, config: Any = None
    ) -> None:
        super().__init__(name=name, node=node, config=config)
        if not 0.0 <= self.config.warn_rate <= self.config.error_rate <= 1.0:
            raise ValueError("0 <= warn_rate <= error_rate <= 1 must hold")
        self.samples = 0
        self.mismatches = 0
        self.failures: dict[str, int] = {}
        self._fields: dict[Pair, dict[str, FieldStats]] = {}

    def forward(self, **outputs: Any) -> Consensus:
        """Compares outputs by implementation, counts and returns what it found.

        Raises:
            ValueError: for fewer than two, which can't but agree.
        """
        if len(outputs) < 2:
            raise ValueError("a consensus needs the outputs of two implementations or more")
        return self.observe(compare_outputs(outputs, self.config.tolerance))

    def observe(self, consensus: Consensus) -> Consensus:
        """Counts what was compared elsewhere."""
        self.samples += 1
        self.mismatches += not consensus.agree
        for name in consensus.failures:
            self.failures[name] = self.failures.get(name, 0) + 1
        for pair, errors in consensus.compared.items():
            stats = self._fields.setdefault(pair, {})
            for path, error in errors.items():
                one = stats.setdefault(path, FieldStats())
                one.compared += 1
                # NaN, where the difference is no number, is the largest of all.
                worse = error is not None and not error <= one.max_error
                if error is not None and worse and not math.isnan(one.max_error):
                    one.max_error = error
        for disagreement in consensus.disagreements:
            self._fields[disagreement.pair][disagreement.field].disagreed += 1
        self._judge()
        return consensus

    def statistics(self) -> dict[Pair, dict[str, FieldStats]]:
        """Agreement by pair and field."""
        return {pair: dict(stats) for pair, stats in self._fields.items()}

    @property
    def agreement(self) -> float:
        """The share of inputs on which all agreed, 0 to 1; NaN before the first."""
        return 1.0 - self.mismatches / self.samples if self.samples else math.nan

    def _judge(self) -> None:
        if self.samples < self.config.min_samples:
            return
        rate = self.mismatches / self.samples
        level = Level.OK
        if self.mismatches and rate >= self.config.error_rate:
            level = Level.ERROR
        elif self.mismatches and rate >= self.config.warn_rate:
            level = Level.WARN
        self.dx.level = level
        self.dx.message = (
            "" if level is Level.OK else f"{self.mismatches:,} of {self.samples:,} inputs disputed"
        )


class ConsensusRecorder(DataRecorder):
    """Feeds the same inputs to several implementations and records where they differ.

    What it records is what they should be trained or tested on next: each input under
    its name and each output under the name of its implementation, with one time. An
    output that is a dictionary gets a key for each entry, ``name.entry``. ``diagnostics``
    counts agreement over all inputs, recorded or not::

        recorder = ConsensusRecorder(dataset, {"original": pd, "port": port})
        if not recorder(state=state).agree: ...
    """

    @dataclass
    class Config(DataRecorder.Config):
        """As a recorder's, and when it records."""

        #: ``mismatches``, ``matches`` or ``all``.
        record: str = "mismatches"
        #: The largest absolute difference that is still agreement.
        tolerance: float = 1e-6

    def __init__(
        self,
        dataset: Dataset | str | os.PathLike[str],
        implementations: Mapping[str, Callable[..., Any]] | Iterable[Component],
        name: str | None = None,
        node: Node | None = None,
        config: Any = None,
    ) -> None:
        super().__init__(dataset, name=name, node=node, config=config)
        named = _by_name(implementations)
        if len(named) < 2:
            raise ValueError("a consensus needs two implementations or more")
        if self.config.record not in ("mismatches", "matches", "all"):
            raise ValueError(
                f"record is {self.config.record!r}; it may be mismatches, matches or all"
            )
        self.implementations: dict[str, Callable[..., Any]] = named
        self.diagnostics = ConsensusDx(
            f"{self.name}.diagnostics", config={"tolerance": self.config.tolerance}
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Feeds inputs, by name or as the first implementation takes them; returns the
        :class:`Consensus`."""
        return self.evaluate(self._named(args, kwargs))

    def evaluate(self, inputs: Mapping[str, Any], timestamp: float | None = None) -> Consensus:
        """Feeds inputs by name, and records them at a time in seconds.

        Each implementation gets a copy of its own. What one raises is a disagreement,
        and is in the result.
        """
        outputs: dict[str, Any] = {}
        failures: dict[str, Exception] = {}
        for name, implementation in self.implementations.items():
            try:
                outputs[name] = implementation(**copy.deepcopy(dict(inputs)))
            except Exception as error:
                failures[name] = error
        consensus = compare_outputs(outputs, self.config.tolerance, failures)
        self.diagnostics.observe(consensus)
        wanted = self.config.record
        if wanted == "all" or (wanted == "matches") == consensus.agree:
            self.record_all(_keyed(inputs, outputs), timestamp)
        return consensus

    def step(self) -> bool:
        """Evaluates what is at the inputs, once all have a value."""
        return self._system_step(None)

    def _system_step(self, now: float | None) -> bool:
        ports = list(self.inputs)
        if not ports or not all(port.has_value for port in ports):
            return False
        self.evaluate({port.name: port.value for port in ports}, now)
        self.dx.alive()
        return True

    def _named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if not args:
            return kwargs
        first = next(iter(self.implementations.values()))
        target = first.forward if isinstance(first, Component) else first
        bound = inspect.signature(target).bind(*args, **kwargs)
        return dict(bound.arguments)


def _by_name(
    given: Mapping[str, Callable[..., Any]] | Iterable[Component],
) -> dict[str, Callable[..., Any]]:
    if isinstance(given, Mapping):
        return {str(name): implementation for name, implementation in given.items()}
    named: dict[str, Callable[..., Any]] = {}
    for component in given:
        if component.name in named:
            raise ValueError(f"two implementations are named {component.name!r}")
        named[component.name] = component
    return named


def _keyed(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and outputs by the keys that they are recorded under."""
    keyed = dict(inputs)
    for name, value in outputs.items():
        several = isinstance(value, Mapping)
        parts = {f"{name}.{entry}": item for entry, item in value.items()} if several else {name: value}
        for key, item in parts.items():
            if key in keyed:
                raise ValueError(
                    f"two values have the key {key!r}: inputs, implementations and the "
                    "entries of their outputs need names of their own"
                )
            keyed[key] = item
    return keyed
