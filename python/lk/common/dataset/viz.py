"""Pictures of datasets, and of how two differ.

A key may lead into the values: ``"pose"`` is all numbers in the messages of that key,
``"pose.position.x"`` one of them, ``"ranges[3]"`` an element. Axes are labelled with the
unit where a field's annotation (``Annotated[float, Unit("m/s")]``) or its name says it
(``angle_rad``, ``speed_m_s``); time is in seconds
after the first sample that is drawn.

Each function draws into ``ax`` where it is given, returns the axes, and shows the figure
unless ``show`` is False. Where it makes a figure of several panels, it returns the
uppermost; ``ax.figure.axes`` has all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lk.common.dataset.fields import annotated_unit, field_at, join_path, numeric_leaves, split_key, unit_of
from lk.common.show import new_axes, new_panels, show_if_interactive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lk.common.dataset.dataset import Dataset

__all__ = ["plot_comparison", "plot_heatmap", "plot_histogram", "plot_timeseries"]

Floats = npt.NDArray[np.float64]

#: More lines than this in one panel can't be told apart.
_MOST_LINES = 10
_FIRST, _SECOND, _ERROR = "#2563eb", "#f97316", "#dc2626"
_ONE_COLUMN = (8.0, 4.0)


@dataclass(frozen=True)
class _Series:
    """A number over time: ``times`` and ``values`` are (n,), seconds and field's unit."""

    label: str
    unit: str | None
    times: Floats
    values: Floats


def plot_histogram(
    dataset: Dataset,
    key: str,
    bins: int = 50,
    title: str | None = None,
    show: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """How often each value occurs, a line for each field.

    What is NaN or infinite is left out, and the label says how much that was.

    Raises:
        KeyError: where there is no such key or field.
        ValueError: where there are no numbers in it, or too many fields for a picture.
    """
    series = _limited(_numbers(dataset, key), key)
    axes = ax if ax is not None else new_axes(_ONE_COLUMN)
    finite = [s.values[np.isfinite(s.values)] for s in series]
    pooled = np.concatenate(finite)
    if not len(pooled):
        raise ValueError(f"{key!r} has no finite number")
    edges = np.histogram_bin_edges(pooled, bins=bins)
    for one, values in zip(series, finite, strict=True):
        lost = len(one.values) - len(values)
        label = one.label + (f" ({lost:,} not finite)" if lost else "")
        alone = len(series) == 1
        style: dict[str, Any] = {"color": _FIRST} if alone else {}
        counts = np.histogram(values, edges)[0]
        axes.stairs(counts, edges, fill=alone, alpha=0.85, label=label, linewidth=1.5, **style)
        if alone and lost:
            axes.set_title(label)
    axes.set_xlabel(_labelled(_common(series, key), _common_unit(series)))
    axes.set_ylabel("samples")
    axes.set_ylim(bottom=0)
    return _finished([axes], title or f"{key}: {len(series[0].values):,} samples", show, [series])


def plot_heatmap(
    dataset1: Dataset,
    dataset2: Dataset,
    key: str,
    title: str | None = None,
    show: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Where and when two datasets differ: a row for each field, time to the right, the
    size of the difference as the colour.

    Samples of the same time are compared, or those of the same place where no time is
    common. What is NaN on one side only is blue.
    """
    pairs = paired_fields(dataset1, dataset2, key)
    axes = ax if ax is not None else new_axes((8.0, 1.6 + 0.32 * min(len(pairs), 24)))
    times = pairs[0].times
    with np.errstate(invalid="ignore"):
        errors = np.array([np.abs(p.second - p.first) for p in pairs])
    one_sided = np.array([np.isnan(p.first) != np.isnan(p.second) for p in pairs])
    both_nan = np.array([np.isnan(p.first) & np.isnan(p.second) for p in pairs])
    # Equal infinities differ by nothing, though their difference is NaN.
    same = np.array([p.first == p.second for p in pairs]) | both_nan
    errors[same] = 0.0
    errors[one_sided] = np.nan
    finite = errors[np.isfinite(errors)]
    most = float(finite.max()) if len(finite) and finite.max() > 0.0 else 1.0
    import matplotlib

    colours = matplotlib.colormaps["magma_r"].with_extremes(bad=_FIRST)
    edges = np.append(times, times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1.0))
    rows = np.arange(len(pairs) + 1)
    mesh = axes.pcolormesh(
        edges, rows, errors, cmap=colours, vmin=0.0, vmax=most, rasterized=True, shading="flat"
    )
    axes.invert_yaxis()
    shown = max(1, -(-len(pairs) // 24))
    axes.set_yticks(rows[:-1:shown] + 0.5, [p.label for p in pairs[::shown]])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time (s)")
    unit = _common_unit([_Series(p.label, p.unit, p.times, p.first) for p in pairs])
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_label(_labelled("absolute difference", unit))
    if not len(finite) or finite.max() == 0.0:
        bar.set_ticks([0.0])
    axes.set_title(title or f"{key}: where they differ")
    show_if_interactive(show)
    return axes


def plot_timeseries(
    dataset: Dataset,
    keys: list[str] | None = None,
    title: str | None = None,
    show: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Values over time: a panel for each key, or all in ``ax``.

    Without ``keys`` all keys that have numbers in them are drawn.
    """
    wanted = list(keys) if keys is not None else _numeric_keys(dataset)
    if not wanted:
        raise ValueError("there is no key with numbers to draw")
    groups = [_limited(_numbers(dataset, key), key) for key in wanted]
    start = min(s.times[0] for group in groups for s in group if len(s.times))
    panels = [ax] * len(groups) if ax is not None else new_panels(
        len(groups), (8.0, 1.0 + 2.3 * len(groups))
    )
    for panel, key, group in zip(panels, wanted, groups, strict=True):
        for one in group:
            _line(panel, one.times - start, one.values, label=one.label)
        panel.set_ylabel(_labelled(_common(group, key), _common_unit(group)))
    if ax is not None and len(groups) > 1:
        ax.set_ylabel(_labelled("", _common_unit([s for group in groups for s in group])))
    panels[-1].set_xlabel("time (s)")
    shown = [[s for group in groups for s in group]] if ax is not None else groups
    return _finished(panels if ax is None else [ax], title, show, shown)


def plot_comparison(
    dataset1: Dataset,
    dataset2: Dataset,
    key: str,
    labels: tuple[str, str] = ("Dataset 1", "Dataset 2"),
    title: str | None = None,
    show: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Two datasets over each other, the second dashed, and below what lies between them.

    The lower panel is there where this function makes the figure and anything can be
    paired: by the same time, or by the same place where no time is common.
    """
    first = _limited(_numbers(dataset1, key), key)
    second = {s.label: s for s in _limited(_numbers(dataset2, key), key)}
    start = min(s.times[0] for s in [*first, *second.values()])
    if ax is not None:
        panels = [ax]
    else:
        panels = new_panels(2, (8.0, 5.0), heights=[2.2, 1.0])
    alone = len(first) == 1
    for number, one in enumerate(first):
        colours = (_FIRST, _SECOND) if alone else (f"C{number}", f"C{number}")
        name = "" if alone else f"{one.label}, "
        _line(panels[0], one.times - start, one.values, color=colours[0], label=name + labels[0])
        other = second.get(one.label)
        if other is not None:
            times = other.times - start
            style: dict[str, Any] = {"linestyle": "--", "color": colours[1]}
            if not alone:
                # The same colour again: darker, so that it shows on the first.
                style |= {"alpha": 1.0, "linewidth": 2.2, "zorder": 1}
            _line(panels[0], times, other.values, label=name + labels[1], **style)
    panels[0].set_ylabel(_labelled(_common(first, key), _common_unit(first)))
    if len(panels) == 2:
        for number, pair in enumerate(paired_fields(dataset1, dataset2, key)):
            colour = _ERROR if alone else f"C{number}"
            with np.errstate(invalid="ignore"):
                difference = pair.second - pair.first
            _line(panels[1], pair.times, difference, color=colour)
        panels[1].axhline(0.0, color="#94a3b8", linewidth=0.8, zorder=0)
        panels[1].set_ylabel(_labelled("difference", _common_unit(first)))
    panels[-1].set_xlabel("time (s)")
    both = [s for s in first for _ in (0, 1)]
    return _finished(panels, title or key, show, [both, []][: len(panels)])


@dataclass(frozen=True)
class _Pair:
    """A field of two datasets, sample by sample; all arrays are (n,)."""

    label: str
    unit: str | None
    times: Floats
    first: Floats
    second: Floats


def paired_fields(dataset1: Dataset, dataset2: Dataset, key: str) -> list[_Pair]:
    """All numbers of two datasets at a key, sample by sample, as they belong together."""
    first = _numbers(dataset1, key)
    second = {s.label: s for s in _numbers(dataset2, key)}
    pairs = []
    start = min(s.times[0] for s in first)
    for one in first:
        other = second.get(one.label)
        if other is None:
            continue
        a, b = _paired(one.times, other.times)
        times = one.times[a] - start
        pairs.append(_Pair(one.label, one.unit, times, one.values[a], other.values[b]))
    if not pairs:
        raise ValueError(f"the two datasets have no field of {key!r} in common")
    return pairs


def _paired(a: Floats, b: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The places in both that belong together."""
    _, in_a, in_b = np.intersect1d(a, b, return_indices=True)
    unique = len(np.unique(a)) == len(a) and len(np.unique(b)) == len(b)
    if unique and len(in_a):
        return in_a, in_b
    both = np.arange(min(len(a), len(b)))
    return both, both


def _numbers(dataset: Dataset, key: str) -> list[_Series]:
    """All numbers at a key or a field in it, over time."""
    base, path = split_key(list(dataset.keys()), key)
    values = dataset.read(base)
    times = np.asarray(dataset.get_timestamps(base), dtype=np.float64)
    if not len(times):
        raise ValueError(f"key {base!r} is empty")
    rows = [numeric_leaves(field_at(value, path) if path else value) for value in values]
    # Lists may grow and optional fields be absent: NaN is where there is nothing.
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise ValueError(f"there are no numbers in {key!r}")
    series = []
    for name in names:
        column = np.array([row.get(name, np.nan) for row in rows], dtype=np.float64)
        whole = join_path(key, name)
        inner = whole.removeprefix(base).removeprefix(".")
        unit = annotated_unit(values[0], inner) or unit_of(whole)
        series.append(_Series(name or key, unit, times, column))
    return series


def _numeric_keys(dataset: Dataset) -> list[str]:
    def has_numbers(key: str) -> bool:
        return len(dataset.get_timestamps(key)) > 0 and bool(numeric_leaves(dataset.read(key, 0)))

    return [key for key in dataset.keys() if has_numbers(key)]


def _limited(series: list[_Series], key: str) -> list[_Series]:
    if len(series) > _MOST_LINES:
        names = ", ".join(join_path(key, s.label) for s in series[:3])
        raise ValueError(
            f"{key!r} has {len(series)} numbers, and a panel shows {_MOST_LINES}; "
            f"hint: choose one, such as {names}, or draw plot_heatmap"
        )
    return series


def _line(ax: Axes, times: Floats, values: Floats, **style: Any) -> None:
    # Few points show where they are; many would only be thick.
    marker = "." if len(times) <= 40 else None
    ax.plot(times, values, **({"linewidth": 1.4, "marker": marker} | style))


def _labelled(name: str, unit: str | None) -> str:
    return f"{name} ({unit})".strip() if unit else name


def _common(series: Sequence[_Series], key: str) -> str:
    return series[0].label if len(series) == 1 and series[0].label != key else key


def _common_unit(series: Sequence[_Series]) -> str | None:
    units = {s.unit for s in series}
    return units.pop() if len(units) == 1 else None


def _finished(
    panels: Sequence[Axes], title: str | None, show: bool, groups: Sequence[Sequence[_Series]]
) -> Axes:
    """Legends beside what has several lines, a grid, a title."""
    for panel, group in zip(panels, groups, strict=False):
        if len(group) > 1:
            panel.legend(
                loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small"
            )
    for panel in panels:
        panel.grid(alpha=0.25)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0.01)
    if title:
        panels[0].set_title(title)
    show_if_interactive(show)
    return panels[0]
