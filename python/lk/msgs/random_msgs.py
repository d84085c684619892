"""Values drawn from distributions, for making inputs."""

from __future__ import annotations

import bisect
import dataclasses
import math
import random
import statistics
import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np

from lk.msgs.msg import Msg

__all__ = [
    "DataDist",
    "RandomArray",
    "RandomBool",
    "RandomFloat",
    "RandomInt",
    "RandomMsg",
    "RandomStr",
    "RandomType",
]

T = TypeVar("T")
M = TypeVar("M", bound=Msg)
Number = TypeVar("Number", int, float)

_UNIT = statistics.NormalDist()


class RandomType(ABC, Generic[T]):
    """What values of one type are drawn from.

    With a seed the values are the same each time; without one they differ. A message's
    fields, and an array's elements, have streams of their own, so that another field
    changes none of those that were there.
    """

    def __init__(self) -> None:
        self._random = random.Random()
        self._visited = 0

    def with_seed(self, seed: int) -> Self:
        """Begins anew with this seed; returns itself."""
        self._seed(f"{seed}")
        self._visited = 0
        return self

    def _seed(self, stream: str) -> None:
        # Text is hashed by SHA-512, the same on every machine.
        self._random.seed(stream)

    @abstractmethod
    def sample(self) -> T:
        """The next value."""

    @abstractmethod
    def get_range(self) -> Any:
        """The least and the greatest value that can come, infinite where there is no
        limit; for messages a dictionary of them by field."""

    @abstractmethod
    def contains(self, x: Any) -> bool:
        """Whether this value can come; the ends of a range belong to it."""

    @property
    def combinations(self) -> int:
        """How many values :meth:`permute` visits: those of fixed and discrete parts,
        each with each."""
        return 1

    def _at(self, index: int) -> T:
        """The value of a permutation; what is continuous is drawn."""
        return self.sample()

    def permute(self) -> tuple[T, bool]:
        """The next of all combinations, and whether it is the last; then it begins
        again. What is continuous is drawn anew for each."""
        value = self._at(self._visited)
        self._visited = (self._visited + 1) % self.combinations
        return value, self._visited == 0

    def generate_dataset(self, n: int, permute: bool = False) -> list[T]:
        """So many values, drawn or, with ``permute``, all combinations in turn."""
        if n < 0:
            raise ValueError(f"{n} values can't be made")
        return [self.permute()[0] if permute else self.sample() for _ in range(n)]


#: The same by the name that messages' distributions have in lk.
DataDist = RandomType


class _Choice(RandomType[T]):
    """One of some values, with weights."""

    def __init__(self, values: Iterable[T], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.values = list(values)
        if not self.values:
            raise ValueError("there is nothing to choose from")
        shares = list(weights) if weights is not None else [1.0] * len(self.values)
        if len(shares) != len(self.values):
            raise ValueError(f"{len(shares)} weights for {len(self.values)} values")
        if not all(math.isfinite(w) and w >= 0.0 for w in shares) or not sum(shares) > 0.0:
            raise ValueError(f"weights must be finite, not negative and not all 0: {shares}")
        self._ends = [sum(shares[: n + 1]) for n in range(len(shares))]

    def sample(self) -> T:
        at = bisect.bisect_right(self._ends, self._random.random() * self._ends[-1])
        return self.values[min(at, len(self.values) - 1)]

    def get_range(self) -> Any:
        try:
            return min(self.values), max(self.values)  # type: ignore[type-var]
        except TypeError:
            return self.values[0], self.values[-1]

    def contains(self, x: Any) -> bool:
        return any(type(x) is type(value) and x == value for value in self.values) or (
            _is_number(x) and any(_is_number(value) and x == value for value in self.values)
        )

    @property
    def combinations(self) -> int:
        return len(self.values)

    def _at(self, index: int) -> T:
        return self.values[index % len(self.values)]


class _Drawn(RandomType[Number]):
    """Numbers made from a uniform one in [0, 1), within limits."""

    def __init__(
        self,
        kind: type[Number],
        low: float,
        high: float,
        draw: Callable[[random.Random], float],
    ) -> None:
        super().__init__()
        self._kind: Any = kind
        self.low, self.high, self._draw = low, high, draw

    def sample(self) -> Number:
        value = self._draw(self._random)
        # Rounding may lead just past an end.
        value = min(max(value, self.low), self.high)
        number: Number = self._kind(round(value) if self._kind is int else value)
        return number

    def get_range(self) -> tuple[Any, Any]:
        if self._kind is int and math.isfinite(self.low) and math.isfinite(self.high):
            return self._kind(self.low), self._kind(self.high)
        # An integer without a limit has none that is an integer.
        return self.low, self.high

    def contains(self, x: Any) -> bool:
        if not _is_number(x) or (self._kind is int and not float(x).is_integer()):
            return False
        return bool(self.low <= x <= self.high)


class _Custom(RandomType[T]):
    """Values of the user's own function."""

    def __init__(
        self,
        draw: Callable[[random.Random], T],
        value_range: tuple[Any, Any] | None,
        contains: Callable[[Any], bool] | None,
    ) -> None:
        super().__init__()
        self._draw, self._range, self._contains = draw, value_range, contains

    def sample(self) -> T:
        return self._draw(self._random)

    def get_range(self) -> tuple[Any, Any]:
        return self._range if self._range is not None else (-math.inf, math.inf)

    def contains(self, x: Any) -> bool:
        if self._contains is not None:
            return self._contains(x)
        low, high = self.get_range()
        return bool(low <= x <= high)


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool)


def _limits(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"{low} to {high} is no range")


def _above_zero(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} is {value}; it must be finite and above 0")


def _inner(rng: random.Random) -> float:
    """Uniform in (0, 1), without its ends."""
    while True:
        if u := rng.random():
            return u


class _Numbers(Generic[Number]):
    """The distributions of a number type, as constructors."""

    _kind: type[Any]

    @classmethod
    def _number(cls, value: Number) -> Number:
        number: Number = cls._kind(value)
        if cls._kind is int and number != value:
            raise ValueError(f"{value} is no whole number")
        return number

    @classmethod
    def fixed(cls, value: Number) -> RandomType[Number]:
        """Always this value."""
        return _Choice([cls._number(value)])

    @classmethod
    def discrete(
        cls, values: Iterable[Number], weights: Sequence[float] | None = None
    ) -> RandomType[Number]:
        """One of these values, all alike or by weight."""
        return _Choice([cls._number(value) for value in values], weights)

    @classmethod
    def _drawn(
        cls, low: float, high: float, draw: Callable[[random.Random], float]
    ) -> RandomType[Number]:
        kind: type[Number] = cls._kind
        return _Drawn(kind, low, high, draw)

    @classmethod
    def normal(cls, mean: float = 0.0, std: float = 1.0) -> RandomType[Number]:
        """Normal, with a standard deviation of ``std``."""
        _above_zero(std=std)
        return cls._drawn(-math.inf, math.inf, lambda r: mean + std * _UNIT.inv_cdf(_inner(r)))

    @classmethod
    def truncated_normal(
        cls, mean: float, std: float, low: float, high: float
    ) -> RandomType[Number]:
        """Normal, but only what lies from ``low`` to ``high``."""
        _above_zero(std=std)
        _limits(low, high)
        normal = statistics.NormalDist(mean, std)
        # In the upper tail the distribution function is 1 to the last bit: the
        # lower one, mirrored, is as exact as it gets.
        mirrored = low > mean
        a, b = (2 * mean - high, 2 * mean - low) if mirrored else (low, high)
        below, above = normal.cdf(a), normal.cdf(b)

        def draw(rng: random.Random) -> float:
            share = below + (above - below) * rng.random()
            if not 0.0 < share < 1.0:
                return low if abs(low - mean) < abs(high - mean) else high
            value = normal.inv_cdf(share)
            return 2 * mean - value if mirrored else value

        return cls._drawn(low, high, draw)

    @classmethod
    def exponential(cls, rate: float = 1.0) -> RandomType[Number]:
        """Exponential, with a mean of ``1 / rate``."""
        _above_zero(rate=rate)
        return cls._drawn(0.0, math.inf, lambda r: -math.log1p(-r.random()) / rate)

    @classmethod
    def beta(
        cls, alpha: float, beta: float, low: float = 0.0, high: float = 1.0
    ) -> RandomType[Number]:
        """Beta, stretched from ``low`` to ``high``."""
        _above_zero(alpha=alpha, beta=beta)
        _limits(low, high)
        return cls._drawn(low, high, lambda r: low + (high - low) * r.betavariate(alpha, beta))

    @classmethod
    def log_uniform(cls, low: float, high: float) -> RandomType[Number]:
        """Numbers whose logarithm is uniform: each decade is as likely."""
        _above_zero(low=low, high=high)
        _limits(low, high)
        a, b = math.log(low), math.log(high)
        return cls._drawn(low, high, lambda r: math.exp(a + (b - a) * r.random()))

    @classmethod
    def custom(
        cls,
        draw: Callable[[random.Random], Number],
        value_range: tuple[Number, Number] | None = None,
        contains: Callable[[Any], bool] | None = None,
    ) -> RandomType[Number]:
        """What a function makes of a generator, which is seeded as all others are."""
        return _Custom(draw, value_range, contains)


class RandomFloat(_Numbers[float]):
    """Distributions of floats: ``RandomFloat.uniform(-1.0, 1.0).with_seed(7)``."""

    _kind = float

    @classmethod
    def uniform(cls, low: float = 0.0, high: float = 1.0) -> RandomType[float]:
        """Uniform from ``low`` to ``high``."""
        _limits(low, high)
        # Two products, since `high - low` may be more than a float holds.
        return cls._drawn(low, high, lambda r: (1 - (u := r.random())) * low + u * high)


class RandomInt(_Numbers[int]):
    """Distributions of whole numbers; those of real numbers are rounded."""

    _kind = int

    @classmethod
    def uniform(cls, low: int, high: int) -> RandomType[int]:
        """Each from ``low`` to ``high``, both among them."""
        if low > high:
            raise ValueError(f"{low} to {high} is no range")
        return _IntRange(cls._number(low), cls._number(high))


class _IntRange(RandomType[int]):
    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.low, self.high = int(low), int(high)

    def sample(self) -> int:
        return self._random.randint(self.low, self.high)

    def get_range(self) -> tuple[int, int]:
        return self.low, self.high

    def contains(self, x: Any) -> bool:
        return _is_number(x) and float(x).is_integer() and self.low <= x <= self.high

    @property
    def combinations(self) -> int:
        return self.high - self.low + 1

    def _at(self, index: int) -> int:
        return self.low + index % self.combinations


class RandomBool:
    """Distributions of truth values."""

    @classmethod
    def fixed(cls, value: bool) -> RandomType[bool]:
        """Always this value."""
        return _Choice([bool(value)])

    @classmethod
    def uniform(cls, probability: float = 0.5) -> RandomType[bool]:
        """True with this probability."""
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"{probability} is no probability")
        return _Choice([False, True], [1.0 - probability, probability])


class RandomStr:
    """Distributions of text."""

    @classmethod
    def fixed(cls, value: str) -> RandomType[str]:
        """Always this text."""
        return _Choice([value])

    @classmethod
    def discrete(
        cls, values: Iterable[str], weights: Sequence[float] | None = None
    ) -> RandomType[str]:
        """One of these texts."""
        return _Choice(values, weights)

    @classmethod
    def uniform(
        cls, min_length: int = 0, max_length: int = 16, alphabet: str = string.ascii_letters
    ) -> RandomType[str]:
        """Letters of an alphabet, of a length between two."""
        if not 0 <= min_length <= max_length or not alphabet:
            raise ValueError(f"no text of {min_length} to {max_length} letters of {alphabet!r}")
        letters = set(alphabet)

        def draw(rng: random.Random) -> str:
            return "".join(rng.choices(alphabet, k=rng.randint(min_length, max_length)))

        def contains(x: Any) -> bool:
            return (
                isinstance(x, str) and min_length <= len(x) <= max_length and set(x) <= letters
            )

        return _Custom(draw, (alphabet[0] * min_length, alphabet[-1] * max_length), contains)


class RandomArray(RandomType[np.ndarray[Any, Any]]):
    """Arrays whose elements are drawn, one after the other, from one distribution."""

    def __init__(
        self, element: RandomType[Any], shape: int | tuple[int, ...], dtype: Any = None
    ) -> None:
        super().__init__()
        self.element = element
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.dtype = dtype

    def _seed(self, stream: str) -> None:
        self.element._seed(f"{stream}/[]")

    def sample(self) -> np.ndarray[Any, Any]:
        values = [self.element.sample() for _ in range(math.prod(self.shape))]
        return np.array(values, dtype=self.dtype).reshape(self.shape)

    def get_range(self) -> Any:
        return self.element.get_range()

    def contains(self, x: Any) -> bool:
        if not isinstance(x, np.ndarray) or x.shape != self.shape:
            return False
        return all(self.element.contains(value) for value in x.ravel().tolist())


class RandomMsg(RandomType[M]):
    """Messages whose fields are drawn, each from its own distribution::

        RandomMsg(Pose, position=RandomMsg(Vec3, x=RandomFloat.uniform(-1.0, 1.0)))

    A field without one has its default. :meth:`permute` visits all combinations of
    fields with fixed and discrete values.

    Raises:
        TypeError: for a field that there isn't.
        ValueError: for one that has neither a distribution nor a default.
    """

    def __init__(self, msg_type: type[M], **fields: RandomType[Any] | Any) -> None:
        super().__init__()
        self.msg_type = msg_type
        self.fields: dict[str, RandomType[Any]] = {}
        known = _fields_of(msg_type)
        for name, dist in fields.items():
            if name not in known:
                raise TypeError(f"{msg_type.__name__} has no field {name!r}")
            self.fields[name] = dist if isinstance(dist, RandomType) else _Choice([dist])
        for name, required in known.items():
            if required and name not in self.fields:
                raise ValueError(
                    f"{msg_type.__name__}.{name} has no distribution and no default; "
                    f"hint: {name}=RandomFloat.uniform(low, high), or another"
                )

    def _seed(self, stream: str) -> None:
        for name, dist in self.fields.items():
            dist._seed(f"{stream}/{name}")

    def sample(self) -> M:
        return self.msg_type(**{name: dist.sample() for name, dist in self.fields.items()})

    def get_range(self) -> dict[str, Any]:
        return {name: dist.get_range() for name, dist in self.fields.items()}

    def contains(self, x: Any) -> bool:
        if not isinstance(x, self.msg_type):
            return False
        return all(dist.contains(getattr(x, name)) for name, dist in self.fields.items())

    @property
    def combinations(self) -> int:
        return math.prod(dist.combinations for dist in self.fields.values())

    def _at(self, index: int) -> M:
        values: dict[str, Any] = {}
        # The last field changes fastest, as in nested loops.
        for name, dist in reversed(self.fields.items()):
            index, at = divmod(index, dist.combinations)
            values[name] = dist._at(at)
        return self.msg_type(**values)


def _fields_of(msg_type: type[Msg]) -> Mapping[str, bool]:
    """The fields of a message type that can be given, and whether they must be."""
    return {
        f.name: f.default is f.default_factory is dataclasses.MISSING
        for f in dataclasses.fields(msg_type)
        if f.init
    }
