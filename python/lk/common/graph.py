"""Connections from outputs to inputs, and what follows from them."""

from __future__ import annotations

import heapq
from typing import Any

from lk.common.component import Component
from lk.common.port import InputPort, OutputPort, Port, flows_into, type_name

__all__ = ["Connection", "ConnectionGraph"]


class Connection:
    """A way for values from one port to another.

    A ``delayed`` one carries them in the system's next step, as each cycle needs.

    Raises:
        TypeError: where the target takes no values of the source's type. A subclass
            may flow into its base.
    """

    def __init__(self, source: Port[Any], target: Port[Any], *, delayed: bool = False) -> None:
        if not flows_into(source.msg_type, target.msg_type):
            raise TypeError(
                f"{source.full_name!r} gives {type_name(source.msg_type)}, and "
                f"{target.full_name!r} takes {type_name(target.msg_type)}"
            )
        self.source = source
        self.target = target
        self.delayed = delayed
        self._carried = 0
        source.connections.append(self)
        target.connections.append(self)

    def transfer(self) -> bool:
        """Carries the source's value to the target; whether there was one."""
        if not self.source.has_value:
            return False
        self.target._put(self.source.value)
        self._carried = self.source.writes
        return True

    def transfer_new(self) -> bool:
        """Carries the value if it came since the last time; whether it did."""
        return self.source.writes != self._carried and self.transfer()

    def disconnect(self) -> None:
        """Takes the connection away from both ports; a second time does nothing."""
        for port in (self.source, self.target):
            if self in port.connections:
                port.connections.remove(self)

    def __repr__(self) -> str:
        return f"Connection({self.source.full_name} -> {self.target.full_name})"


class ConnectionGraph:
    """Components and the connections between them."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._components: list[Component] = []

    @property
    def connections(self) -> list[Connection]:
        """All connections, in the order they came."""
        return list(self._connections)

    @property
    def components(self) -> list[Component]:
        """All components: those added and those whose ports are connected."""
        found = list(self._components)
        for connection in self._connections:
            for port in (connection.source, connection.target):
                if isinstance(port.owner, Component) and port.owner not in found:
                    found.append(port.owner)
        return found

    def add_component(self, component: Component) -> None:
        """Adds a component, connected or not."""
        if component not in self._components:
            self._components.append(component)

    def connect(
        self, source: Port[Any], target: Port[Any], *, delayed: bool = False
    ) -> Connection:
        """Connects an output with an input; ``delayed`` by one step of a system.

        Raises:
            TypeError: where the types don't fit, or a port is on the wrong side.
            ValueError: where the input has a source already.
        """
        if isinstance(source, InputPort):
            raise TypeError(f"{source.full_name!r} is an input: it can't be a source")
        if isinstance(target, OutputPort):
            raise TypeError(f"{target.full_name!r} is an output: it can't be a target")
        self._check_writer(source, target)
        return self.add_connection(Connection(source, target, delayed=delayed))

    def add_connection(self, connection: Connection) -> Connection:
        """Adds a connection that was made elsewhere. ValueError as in connect."""
        if connection not in self._connections:
            self._check_writer(connection.source, connection.target)
            self._connections.append(connection)
        return connection

    def _check_writer(self, source: Port[Any], target: Port[Any]) -> None:
        for other in self._connections:
            if other.target is target:
                raise ValueError(
                    f"{target.full_name!r} is connected to {other.source.full_name!r} already, "
                    f"and can't be to {source.full_name!r} too"
                )

    def remove_connection(self, connection: Connection) -> None:
        """Takes a connection out, and off its ports. ValueError if it isn't here."""
        if connection not in self._connections:
            raise ValueError(f"{connection!r} is not in this graph")
        self._connections.remove(connection)
        connection.disconnect()

    def get_component_dependencies(self, component: Component | None = None) -> Any:
        """The components that one takes values from in the same step, or, without
        one, a dictionary of them by component."""
        dependencies: dict[Component, list[Component]] = {c: [] for c in self.components}
        for connection in self._connections:
            if connection.delayed:
                continue
            source, target = connection.source.owner, connection.target.owner
            if isinstance(source, Component) and isinstance(target, Component):
                if source not in dependencies[target]:
                    dependencies[target].append(source)
        return dependencies if component is None else dependencies.get(component, [])

    def detect_cycles(self) -> list[list[Component]]:
        """The cycles without a delay, one for each group of components that feed one
        another, each in the order that values go; empty where there are none."""
        dependencies: dict[Component, list[Component]] = self.get_component_dependencies()
        cycles: list[list[Component]] = []
        seen: set[Component] = set()
        for start in dependencies:
            if start in seen:
                continue
            cycle = _cycle_through(start, dependencies)
            if cycle:
                cycles.append(cycle)
                seen.update(cycle)
        return cycles

    def topological_sort(self) -> list[Component]:
        """The components, those that give before those that take, else by name.

        Raises:
            ValueError: where there is a cycle; it is named.
        """
        components = self.components
        place = {c: n for n, c in enumerate(sorted(components, key=lambda c: c.name))}
        dependencies: dict[Component, list[Component]] = self.get_component_dependencies()
        missing = {c: len(dependencies[c]) for c in components}
        takers: dict[Component, list[Component]] = {c: [] for c in components}
        for taker, givers in dependencies.items():
            for giver in givers:
                takers[giver].append(taker)
        ready = [(place[c], c) for c in components if missing[c] == 0]
        heapq.heapify(ready)
        order: list[Component] = []
        while ready:
            _, component = heapq.heappop(ready)
            order.append(component)
            for taker in takers[component]:
                missing[taker] -= 1
                if missing[taker] == 0:
                    heapq.heappush(ready, (place[taker], taker))
        if len(order) < len(components):
            raise ValueError(f"the graph has a {_cycle(self.detect_cycles()[0])}")
        return order

    def validate(self) -> tuple[bool, list[str]]:
        """Whether the graph can run, and what stands against it."""
        issues = [_cycle(cycle) for cycle in self.detect_cycles()]
        return not issues, issues

    def transfer_all(self) -> int:
        """Carries all values that there are; over how many connections."""
        return sum(connection.transfer() for connection in self._connections)

    def to_mermaid(self, direction: str = "LR") -> str:
        """The graph as a Mermaid flowchart: components as boxes, connections as
        arrows with the names of their ports, delayed ones dotted."""
        ids = {c: n for n, c in enumerate(sorted(self.components, key=lambda c: c.name))}
        lines = [f"flowchart {direction}"]
        lines += [f'    c{n}["{_quoted(c.name)}"]' for c, n in ids.items()]
        for connection in self._connections:
            source, target = connection.source, connection.target
            if source.owner in ids and target.owner in ids:
                label = _quoted(port_label(connection))
                arrow = "-.->" if connection.delayed else "-->"
                lines.append(f'    c{ids[source.owner]} {arrow}|"{label}"| c{ids[target.owner]}')
        return "\n".join(lines) + "\n"


def port_label(connection: Connection) -> str:
    """The names of a connection's ports, once where they are the same."""
    source, target = connection.source.name, connection.target.name
    return source if source == target else f"{source} to {target}"


def _cycle_through(
    start: Component, dependencies: dict[Component, list[Component]]
) -> list[Component] | None:
    """The shortest way from a component back to itself, in the order of values."""
    came_from: dict[Component, Component] = {}
    queue = [start]
    for component in queue:
        for giver in dependencies[component]:
            if giver is start:
                way = [component]
                while way[-1] is not start:
                    way.append(came_from[way[-1]])
                # Walked against the values: the giver of the start comes first.
                return [start, *way[:-1]]
            if giver not in came_from:
                came_from[giver] = component
                queue.append(giver)
    return None


def _cycle(cycle: list[Component]) -> str:
    way = " -> ".join(component.name for component in [*cycle, cycle[0]])
    return f"cycle: {way}; hint: connect(..., delayed=True) once in it"


def _quoted(text: str) -> str:
    """Text between quotes in which nothing is markup: of HTML, of Markdown, or of
    Mermaid itself. As ``lk::system::mermaid_label`` has it."""
    out = []
    for n, c in enumerate(text):
        # `1. ` and `- ` begin a list.
        begins_list = n + 1 == len(text) or text[n + 1].isspace()
        if c in "\n\r\t":
            out.append(" ")
        elif ord(c) < 32 or 127 <= ord(c) < 160:
            continue
        elif not c.isascii() or c.isalnum() or c in " _/,:=()" or (c in ".-" and not begins_list):
            out.append(c)
        else:
            out.append(f"#{ord(c)};")
    return "".join(out)
