"""A dataset as tables: of polars, of pandas, in a notebook."""

from __future__ import annotations

import dataclasses
import html as escaping
from typing import TYPE_CHECKING, Any

from lk.errors import SchemaError

if TYPE_CHECKING:
    from .dataset import Dataset
    from .series import Series


def columns(series: Series) -> dict[str, Any]:
    """The times and each field by its dotted path: arrays of numbers, lists of the rest."""
    found: dict[str, Any] = {"timestamp_ns": series.timestamps_ns}
    if not len(series):
        return found
    values: list[Any] | None = None
    paths = _paths(series[0], ())
    if any(_is_open(_field(series[0], path)) for path in [(), *paths]):
        # Later values may have what the first one has not.
        values = series.to_list()
        every = dict.fromkeys(path for value in values for path in _paths(value, ()))
        inner = {path[:n] for path in every for n in range(len(path))}
        paths = [path for path in every if path not in inner]
    for path in paths:
        name = ".".join(path) or "value"
        # The times have their name already.
        name = f"value.{name}" if name in found else name
        try:
            found[name] = series.column(".".join(path))
        except SchemaError:
            values = series.to_list() if values is None else values
            found[name] = [_field(value, path) for value in values]
    return found


def _is_open(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _paths(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    names = _names(value)
    if not names:
        return [path]
    return [p for name in names for p in _paths(_field(value, (name,)), (*path, name))]


def _names(value: Any) -> list[str]:
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return list(value) if isinstance(value, dict) else []


def _field(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def polars_frame(series: Series) -> Any:
    """A row for each value."""
    import polars

    return polars.DataFrame(columns(series))


def pandas_frame(series: Series) -> Any:
    """A row for each value; arrays are objects."""
    import pandas

    found = columns(series)
    flat = {
        name: list(column) if getattr(column, "ndim", 1) > 1 else column
        for name, column in found.items()
    }
    return pandas.DataFrame(flat)


def html(dataset: Dataset) -> str:
    """Keys, counts, times and types, for a notebook."""
    rows = ""
    for key in dataset.keys():
        series = dataset[key]
        times = series.timestamps_ns
        span = f"{times[0] / 1e9:.3f} to {times[-1] / 1e9:.3f} s" if len(times) else ""
        kind = type(series[0]).__name__ if len(series) else ""
        cells = (key, str(len(series)), span, kind)
        rows += "<tr>" + "".join(f"<td>{escaping.escape(c)}</td>" for c in cells) + "</tr>"
    head = "".join(f"<th>{name}</th>" for name in ("key", "values", "time", "type"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
