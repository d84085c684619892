"""Pictures of a comparison: ``result.plot_histogram(key)`` and the rest.

They show how B differs from the reference A, as the functions of ``viz`` show values;
``plot_heatmap`` and ``plot_comparison`` are those functions on both datasets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lk.common.dataset import viz
from lk.errors import Error, hinted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lk.common.dataset.dataset import Dataset
    from lk.common.dataset.diff import DiffResult

__all__ = ["plot_comparison", "plot_heatmap", "plot_histogram", "plot_timeseries"]


def plot_histogram(result: DiffResult, key: str, bins: int = 50, **options: Any) -> Axes:
    """How often each difference B - A occurs, a line for each field."""
    differences = _differences(result, key)
    options.setdefault("title", f"{key}: differences")
    ax = viz.plot_histogram(differences, key, bins, **{**options, "show": False})
    ax.set_xlabel(f"difference in {ax.get_xlabel()}")
    return _shown(ax, options)


def plot_timeseries(result: DiffResult, keys: list[str] | None = None, **options: Any) -> Axes:
    """The differences B - A over time, a panel for each key that differs."""
    if keys is None:
        different = [key for key, diff in result.key_diffs.items() if not diff.matches]
        keys = different or list(result.key_diffs)
    differences = _differences(result, *keys)
    options.setdefault("title", "differences")
    return viz.plot_timeseries(differences, differences.keys(), **options)


def plot_heatmap(result: DiffResult, key: str, **options: Any) -> Axes:
    """Where and when the two differ: a row for each field, time to the right."""
    return viz.plot_heatmap(*_datasets(result), key, **options)


def plot_comparison(
    result: DiffResult, key: str, labels: tuple[str, str] = ("A", "B"), **options: Any
) -> Axes:
    """Both datasets over each other, and below what lies between them."""
    return viz.plot_comparison(*_datasets(result), key, labels, **options)


def _datasets(result: DiffResult) -> tuple[Dataset, Dataset]:
    if result.dataset_a is None or result.dataset_b is None:
        error = Error("this result doesn't know its datasets, so there is nothing to draw")
        raise hinted(error, "diffdiff(a, b) returns one that does")
    return result.dataset_a, result.dataset_b


def _differences(result: DiffResult, *keys: str) -> Dataset:
    """A dataset of what lies between the two, at the times of the reference."""
    from lk.common.dataset.dataset import Dataset

    made = Dataset.create()
    for key in keys:
        pairs = viz.paired_fields(*_datasets(result), key)
        columns = [(pair.label, pair.second - pair.first) for pair in pairs]
        alone = len(columns) == 1 and columns[0][0] == key
        for n, time_s in enumerate(pairs[0].times.tolist()):
            if alone:
                made.write(key, float(columns[0][1][n]), time_s)
            else:
                made.write(key, {label: float(values[n]) for label, values in columns}, time_s)
    return made


def _shown(ax: Axes, options: dict[str, Any]) -> Axes:
    from lk.common.show import show_if_interactive

    show_if_interactive(options.get("show", True))
    return ax
