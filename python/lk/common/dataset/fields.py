"""The fields of a value by their paths: ``position.x``, ``covariance[3]``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lk._annotations import Unit
from lk._kinds import _hints

__all__ = ["annotated_unit", "field_at", "join_path", "leaves", "numeric_leaves", "split_key", "unit_of"]

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d+)\]")


def children(value: Any) -> list[tuple[str, Any]] | None:
    """The parts of a value with the paths from it to them; None for a leaf."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return [(f".{key}", item) for key, item in value.items()]
    names = getattr(value, "_fields", None)
    if isinstance(value, tuple) and names is not None:
        return [(f".{name}", item) for name, item in zip(names, value, strict=True)]
    if isinstance(value, (list, tuple)):
        return [(f"[{n}]", item) for n, item in enumerate(value)]
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return [(f"[{n}]", item) for n, item in enumerate(value)]
    return None


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """All that a value consists of, with paths; a plain value has the path ``""``."""
    for path, leaf in _leaves(value):
        yield path.removeprefix("."), leaf


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    parts = children(value)
    if parts is None:
        yield "", value
        return
    for step, part in parts:
        for path, leaf in _leaves(part):
            yield step + path, leaf


def numeric_leaves(value: Any) -> dict[str, float]:
    """The numbers and truth values in a value, by path, as floats."""
    kinds = (bool, int, float, np.bool_, np.integer, np.floating)
    return {p: float(v) for p, v in leaves(value) if isinstance(v, kinds)}


def field_at(value: Any, path: str) -> Any:
    """What lies at a path.

    Raises:
        KeyError: where there is nothing of that name; it names what there is.
    """
    at = value
    for match in _STEP.finditer(path):
        name, index = match.groups()
        parts = dict(children(at) or [])
        step = f".{name}" if name is not None else f"[{index}]"
        if step not in parts:
            known = ", ".join(key.removeprefix(".") for key in list(parts)[:12]) or "none"
            raise KeyError(f"no field {step.removeprefix('.')!r} in {path!r}; there are: {known}")
        at = parts[step]
    return at


def join_path(key: str, path: str) -> str:
    """A path in the values of a key, as one name."""
    return key + path if not path or path.startswith("[") else f"{key}.{path}"


def split_key(keys: list[str], key: str) -> tuple[str, str]:
    """A dataset's key and the path in its values: ``pose.position.x`` is ``position.x``
    in ``pose``, unless there is a longer key.

    Raises:
        KeyError: where no key fits.
    """
    if key in keys:
        return key, ""
    fitting = [k for k in keys if key.startswith((f"{k}.", f"{k}["))]
    if not fitting:
        raise KeyError(f"no key {key!r}; there are: {', '.join(keys) or 'none'}")
    longest = max(fitting, key=len)
    return longest, key[len(longest) :].removeprefix(".")


#: Endings of names that are units, longest first, as they are written on an axis.
_UNITS = (
    ("_rad_s2", "rad/s²"), ("_deg_s2", "°/s²"), ("_rad_s", "rad/s"), ("_deg_s", "°/s"),
    ("_m_s2", "m/s²"), ("_m_s", "m/s"), ("_km_h", "km/h"), ("_percent", "%"),
    ("_celsius", "°C"), ("_kelvin", "K"), ("_rad", "rad"), ("_deg", "°"), ("_khz", "kHz"),
    ("_mhz", "MHz"), ("_hz", "Hz"), ("_rpm", "rpm"), ("_mm", "mm"), ("_cm", "cm"),
    ("_km", "km"), ("_ns", "ns"), ("_us", "µs"), ("_ms", "ms"), ("_kg", "kg"),
    ("_nm", "N·m"), ("_ut", "µT"), ("_pa", "Pa"), ("_mv", "mV"), ("_ma", "mA"),
    ("_m", "m"), ("_s", "s"), ("_g", "g"), ("_n", "N"), ("_v", "V"), ("_a", "A"),
    ("_w", "W"), ("_j", "J"), ("_k", "K"),
)  # fmt: skip


def annotated_unit(value: Any, path: str) -> str | None:
    """The unit that an annotation on the way says: ``Annotated[float, Unit("m/s")]``."""
    unit, at = None, value
    for match in _STEP.finditer(path):
        name, index = match.groups()
        if name is not None and dataclasses.is_dataclass(at):
            hint = _hints(type(at)).get(name)
            said = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Unit)]
            unit = said[-1].name if said else unit
        at = dict(children(at) or []).get(f".{name}" if name is not None else f"[{index}]")
    return unit


def unit_of(path: str) -> str | None:
    """The unit that a name says: ``angle_rad`` is in rad, and so is all that is in it.

    None where no part of the path ends in one.
    """
    for name in reversed(re.split(r"[.\[\]]+", path)):
        for ending, unit in _UNITS:
            if name.lower().endswith(ending) and len(name) > len(ending):
                return unit
    return None
