"""The graph of a system as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lk.common.component import Component
from lk.common.graph import ConnectionGraph, port_label
from lk.common.show import new_axes, save_figure, show_if_interactive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches between the middles of neighbours in the direction of values, beyond the
#: width of the widest box, and across it.
_GAP, _ROW = 1.3, 1.0
_BOX_HEIGHT = 0.56
_INK, _FILL, _LINE = "#1f2937", "#eef2f7", "#64748b"

#: A place in the picture in inches: along the values, and across.
Place = tuple[float, float]


@dataclass
class _Edge:
    """All connections from one component to another."""

    source: Component
    target: Component
    labels: list[str]
    delayed: bool

    def label(self) -> str:
        return "\n".join(dict.fromkeys(self.labels))


def plot_graph(
    graph: ConnectionGraph,
    title: str,
    to_file: str | Path | None = None,
    show: bool = True,
    rankdir: str = "LR",
) -> Axes:
    """Draws components as boxes, those that give before those that take."""
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"rankdir is {rankdir!r}; it may be LR or TB")
    across = rankdir == "LR"
    edges = _edges(graph)
    ranks = _ranks(graph)
    # What leads onwards has its place in each column; what leads back goes around.
    forward = [e for e in edges if ranks[e.source] < ranks[e.target]]
    back = [e for e in edges if ranks[e.source] >= ranks[e.target]]
    widths = {c: 0.4 + 0.1 * max(len(c.name), 6) for c in ranks}
    widest = max(widths.values(), default=1.0)
    step = (widest if across else _BOX_HEIGHT) + _GAP
    row = _ROW if across else widest + 0.4
    places, ways = _layout(ranks, forward, step, row)

    ends = [*places.values(), *(p for way in ways for p in way)]
    lowest = max((y for _, y in ends), default=0.0)
    lane = lowest + row / 2 + 0.1
    far = max((x for x, _ in ends), default=0.0)
    bottom = lane + 0.3 if back else lowest + row / 2
    along_margin = (widest if across else _BOX_HEIGHT) / 2 + 0.3
    limits = ((-along_margin, far + along_margin), (-row / 2, bottom))
    size = (limits[0][1] - limits[0][0], limits[1][1] - limits[1][0])
    ax = new_axes(figsize=size if across else (size[1], size[0]))

    def turned(place: Place) -> Place:
        return place if across else (place[1], place[0])

    def half(component: Component) -> float:
        return widths[component] / 2 if across else _BOX_HEIGHT / 2

    for edge, way in zip(forward, ways, strict=True):
        (x0, y0), (x1, y1) = places[edge.source], places[edge.target]
        points = [(x0 + half(edge.source), y0), *way, (x1 - half(edge.target), y1)]
        _curve(ax, edge, points, turned)
    sides = {c: _BOX_HEIGHT / 2 if across else widths[c] / 2 for c in ranks}
    for number, edge in enumerate(back):
        _around(ax, edge, places, sides, lane + 0.12 * number, turned)
    for component, place in places.items():
        _box(ax, component.name, turned(place), widths[component])
    x, y = limits if across else limits[::-1]
    ax.set_xlim(*x)
    ax.set_ylim(*reversed(y))
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title(title)
    if to_file is not None:
        save_figure(ax, to_file)
    show_if_interactive(show)
    return ax


def _edges(graph: ConnectionGraph) -> list[_Edge]:
    found: dict[tuple[int, int, bool], _Edge] = {}
    for connection in graph.connections:
        source, target = connection.source.owner, connection.target.owner
        if isinstance(source, Component) and isinstance(target, Component):
            key = (id(source), id(target), connection.delayed)
            edge = found.setdefault(key, _Edge(source, target, [], connection.delayed))
            edge.labels.append(port_label(connection))
    return list(found.values())


def _ranks(graph: ConnectionGraph) -> dict[Component, int]:
    """The column of each component: after all that it takes from, and no earlier than
    just before the first that takes from it."""
    dependencies: dict[Component, list[Component]] = graph.get_component_dependencies()
    try:
        order = graph.topological_sort()
    except ValueError:
        order = sorted(graph.components, key=lambda c: c.name)
    ranks: dict[Component, int] = {}
    for component in order:
        givers = [ranks[g] + 1 for g in dependencies[component] if g in ranks]
        ranks[component] = max(givers, default=0)
    for component in order:
        takers = [ranks[t] for t in order if component in dependencies[t]]
        if not dependencies[component] and takers and min(takers) > 0:
            ranks[component] = min(takers) - 1
    return ranks


def _layout(
    ranks: dict[Component, int], forward: list[_Edge], step: float, row: float
) -> tuple[dict[Component, Place], list[list[Place]]]:
    """Places of components, and where edges pass columns between their ends."""
    # An edge has a place of its own in each column that it passes.
    givers: dict[object, list[object]] = {c: [] for c in ranks}
    columns: dict[int, list[object]] = {}
    for component, rank in ranks.items():
        columns.setdefault(rank, []).append(component)
    passing: list[list[object]] = []
    for number, edge in enumerate(forward):
        last: object = edge.source
        passed: list[object] = []
        for rank in range(ranks[edge.source] + 1, ranks[edge.target]):
            here: object = (number, rank)
            columns[rank].append(here)
            givers[here] = [last]
            passed.append(here)
            last = here
        givers[edge.target].append(last)
        passing.append(passed)
    at: dict[object, Place] = {}
    tallest = max((len(column) for column in columns.values()), default=0)
    for rank in sorted(columns):
        # Each goes beside those that it takes from, in their order.
        def beside(item: object) -> float:
            above = [at[g][1] for g in givers[item] if g in at]
            return sum(above) / len(above) if above else tallest * row

        members = sorted(columns[rank], key=beside)
        for n, item in enumerate(members):
            at[item] = (rank * step, (n + (tallest - len(members)) / 2) * row)
    places = {component: at[component] for component in ranks}
    return places, [[at[item] for item in passed] for passed in passing]


def _box(ax: Axes, name: str, middle: Place, width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (middle[0] - width / 2, middle[1] - _BOX_HEIGHT / 2)
    style = "round,pad=0,rounding_size=0.08"
    box = FancyBboxPatch(
        corner, width, _BOX_HEIGHT, boxstyle=style, facecolor=_FILL, edgecolor=_LINE, zorder=3
    )
    ax.add_patch(box)
    ax.text(*middle, name, ha="center", va="center", color=_INK, fontsize=10, zorder=4)


def _curve(
    ax: Axes, edge: _Edge, points: list[Place], turned: Callable[[Place], Place]
) -> None:
    """An arrow that leaves and enters each point in the direction of values."""
    from matplotlib.path import Path as Curve

    vertices, codes = [points[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    _arrow(ax, Curve([turned(v) for v in vertices], codes), edge.delayed)
    (x0, y0), (x1, y1) = points[:2]
    _label(ax, edge.label(), turned(((x0 + x1) / 2, (y0 + y1) / 2)))


def _around(
    ax: Axes,
    edge: _Edge,
    places: dict[Component, Place],
    sides: dict[Component, float],
    lane: float,
    turned: Callable[[Place], Place],
) -> None:
    """An arrow that leaves sideways and goes back beside all boxes."""
    from matplotlib.path import Path as Curve

    (x0, y0), (x1, y1) = places[edge.source], places[edge.target]
    out, home = (x0 + 0.15, y0 + sides[edge.source]), (x1 - 0.15, y1 + sides[edge.target])
    vertices = [out, (out[0], lane), (home[0], lane), home]
    _arrow(ax, Curve([turned(v) for v in vertices]), edge.delayed)
    _label(ax, edge.label(), turned(((out[0] + home[0]) / 2, lane)))


def _arrow(ax: Axes, path: object, delayed: bool) -> None:
    from matplotlib.patches import FancyArrowPatch

    style = "--" if delayed else "-"
    arrow = FancyArrowPatch(
        path=path,  # type: ignore[arg-type]
        arrowstyle="-|>",
        mutation_scale=11,
        color=_LINE,
        linestyle=style,
        capstyle="butt",
        zorder=2,
    )
    arrow.set_fill(True)
    ax.add_patch(arrow)


def _label(ax: Axes, text: str, place: Place) -> None:
    around = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    ax.text(*place, text, ha="center", va="center", fontsize=8, color=_LINE, bbox=around, zorder=2.5)
