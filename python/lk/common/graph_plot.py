"""The graph of a system as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lk.common.component import Component
from lk.common.graph import Connection, ConnectionGraph, port_label
from lk.common.show import new_axes, save_figure, show_if_interactive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches between the middles of boxes: along the values, and across.
_ALONG, _ACROSS = 2.6, 1.2
_BOX_HEIGHT = 0.6
_INK, _FILL, _LINE = "#1f2937", "#eef2f7", "#64748b"


def plot_graph(
    graph: ConnectionGraph,
    title: str,
    to_file: str | Path | None = None,
    show: bool = True,
    rankdir: str = "LR",
) -> Axes:
    """Draws components as boxes in columns, those that give before those that take."""
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir is {rankdir!r}; it may be LR or TB")
    places = _places(graph, rankdir)
    width = max((x for x, _ in places.values()), default=0.0) + _ALONG
    height = max((y for _, y in places.values()), default=0.0) + _ACROSS
    ax = new_axes(figsize=(width, height + 0.3))
    widths = {c: 0.35 + 0.105 * max(len(c.name), 6) for c in places}
    for connection in graph.connections:
        if connection.source.owner in places and connection.target.owner in places:
            _arrow(ax, connection, places, widths, rankdir)
    from matplotlib.patches import FancyBboxPatch

    for component, (x, y) in places.items():
        wide = widths[component]
        corner = (x - wide / 2, y - _BOX_HEIGHT / 2)
        style = "round,pad=0,rounding_size=0.08"
        ax.add_patch(
            FancyBboxPatch(
                corner, wide, _BOX_HEIGHT, boxstyle=style, facecolor=_FILL, edgecolor=_LINE
            )
        )
        ax.text(x, y, component.name, ha="center", va="center", color=_INK, fontsize=10)
    ax.set_xlim(-_ALONG / 2, width - _ALONG / 2)
    ax.set_ylim(height - _ACROSS / 2, -_ACROSS / 2)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(title)
    if to_file is not None:
        save_figure(ax, to_file)
    show_if_interactive(show)
    return ax


def _places(graph: ConnectionGraph, rankdir: str) -> dict[Component, tuple[float, float]]:
    """The middle of each component's box, in inches, y downwards."""
    dependencies: dict[Component, list[Component]] = graph.get_component_dependencies()
    cyclic = {c for cycle in graph.detect_cycles() for c in cycle}
    try:
        order = graph.topological_sort()
    except ValueError:
        order = sorted(graph.components, key=lambda c: c.name)
    rank: dict[Component, int] = {}
    for component in order:
        givers = [g for g in dependencies[component] if not (g in cyclic and g not in rank)]
        rank[component] = max((rank[g] + 1 for g in givers if g in rank), default=0)
    columns: dict[int, list[Component]] = {}
    for component in order:
        columns.setdefault(rank[component], []).append(component)
    tallest = max((len(column) for column in columns.values()), default=0)
    places = {}
    for column, members in columns.items():
        for row, component in enumerate(members):
            along, across = float(column), row + (tallest - len(members)) / 2
            x, y = (along, across) if rankdir == "LR" else (across, along)
            places[component] = (x * _ALONG, y * _ACROSS)
    return places


def _arrow(
    ax: Axes,
    connection: Connection,
    places: dict[Component, tuple[float, float]],
    widths: dict[Component, float],
    rankdir: str,
) -> None:
    source, target = connection.source.owner, connection.target.owner
    (x0, y0), (x1, y1) = places[source], places[target]
    back = (x1 <= x0) if rankdir == "LR" else (y1 <= y0)
    if rankdir == "LR" and not back:
        start, end = (x0 + widths[source] / 2, y0), (x1 - widths[target] / 2, y1)
    elif back:
        start, end = (x0, y0 + _BOX_HEIGHT / 2), (x1, y1 + _BOX_HEIGHT / 2)
    else:
        start, end = (x0, y0 + _BOX_HEIGHT / 2), (x1, y1 - _BOX_HEIGHT / 2)
    # What leads back goes around below the boxes.
    curve = "arc3,rad=-0.25" if back else "arc3,rad=0"
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": _LINE,
            "connectionstyle": curve,
            "linestyle": "--" if connection.delayed else "-",
            "shrinkA": 0,
            "shrinkB": 1,
        },
    )
    below = 0.12 * abs(x1 - x0) if back else -0.06
    ax.text(
        (start[0] + end[0]) / 2,
        (start[1] + end[1]) / 2 + below,
        port_label(connection),
        ha="center",
        va="center" if back else "bottom",
        fontsize=8,
        color=_LINE,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if back else None,
    )
