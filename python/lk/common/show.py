"""Figures of matplotlib, which is imported when the first is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["new_axes", "new_panels", "save_figure", "show_if_interactive"]


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        error.add_note("hint: plots need matplotlib: pip install 'lk[plot]'")
        raise
    return plt


def new_axes(figsize: tuple[float, float] | None = None) -> Axes:
    """The axes of a new figure."""
    return new_panels(1, figsize)[0]


def new_panels(
    n: int, figsize: tuple[float, float] | None = None, heights: list[float] | None = None
) -> list[Axes]:
    """So many axes in one figure, one above the other, with a common x axis."""
    plt = _pyplot()
    ratios = {"height_ratios": heights} if heights else None
    _, axes = plt.subplots(
        n, 1, figsize=figsize, sharex=True, squeeze=False, layout="constrained", gridspec_kw=ratios
    )
    panels: list[Axes] = list(axes[:, 0])
    return panels


def show_if_interactive(show: bool) -> None:
    """Shows the figure, where there is a screen or a notebook to show it on."""
    if not show:
        return
    import matplotlib

    plt = _pyplot()
    # Agg and the writers of files can show nothing, and would only warn.
    backend = matplotlib.get_backend().lower()
    if backend not in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template"):
        plt.show()


def save_figure(ax: Axes, path: str | Path) -> None:
    """Writes the whole figure of these axes to a file, in the format of its name."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("these axes belong to no figure")
    figure.savefig(str(path), dpi=150, bbox_inches="tight")
