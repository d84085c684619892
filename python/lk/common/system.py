"""Systems: components wired by their ports and run in steps."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lk._lk import Pacer
from lk.common.component import Component, ComponentLifecycleMixin, LifecycleState
from lk.common.config import SystemConfig, make_config
from lk.common.graph import Connection, ConnectionGraph
from lk.common.node import ExecutionMode, Node, spread
from lk.common.pace import slack
from lk.common.port import InputPort, OutputPort, Port, PortCollection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["System", "SystemConfig"]

T = TypeVar("T")


class System(ComponentLifecycleMixin):
    """Components, nodes and subsystems that run together.

    They are found among the attributes, also in lists and dictionaries there, or
    given and added. In each step every component that is due runs once, those that
    give before those that take; what is connected is carried just before.

    ``now`` is the system's time in seconds: counted by ``rate_hz``; without a rate the
    times of its sources, such as a ``DataPlayback``; None where there are none either.
    """

    inputs: PortCollection[InputPort[Any]]
    outputs: PortCollection[OutputPort[Any]]

    def __init__(
        self,
        nodes: Iterable[Node] | None = None,
        components: Iterable[Component] | None = None,
        inputs: Mapping[str, InputPort[Any]] | None = None,
        outputs: Mapping[str, OutputPort[Any]] | None = None,
        subsystems: Iterable[System] | None = None,
        config: Any = None,
    ) -> None:
        self.config: SystemConfig = make_config(SystemConfig, config, type(self).__name__)
        self.name = self.config.name
        self.graph = ConnectionGraph()
        self.inputs = PortCollection(self)
        self.outputs = PortCollection(self)
        for name, source in (inputs or {}).items():
            self.inputs.add_port(name, source)
        for name, sink in (outputs or {}).items():
            self.outputs.add_port(name, sink)
        self.log = logging.getLogger(f"lk.{self.name}")
        self.iterations = 0
        self.now: float | None = None
        self._given: list[Any] = [*(nodes or ()), *(components or ()), *(subsystems or ())]
        self._pacer = Pacer.start()
        self._stopped = False
        self._start = 0.0
        self._plan: list[_Turn] = []
        self._delayed: list[Connection] = []

    # What it is made of.

    def add_component(self, component: Component) -> Component:
        """Adds a component."""
        return self._add(component)

    def add_node(self, node: Node) -> Node:
        """Adds a node with its components."""
        return self._add(node)

    def add_subsystem(self, subsystem: System) -> System:
        """Adds a system, whose components run among this one's."""
        return self._add(subsystem)

    def add_input(self, name: str, port: InputPort[Any]) -> InputPort[Any]:
        """Makes a component's input one of the system's, under this name."""
        return self.inputs.add_port(name, port)

    def add_output(self, name: str, port: OutputPort[Any]) -> OutputPort[Any]:
        """Makes a component's output one of the system's, under this name."""
        return self.outputs.add_port(name, port)

    def _add(self, part: T) -> T:
        if self._state is not LifecycleState.UNCONFIGURED:
            raise RuntimeError(
                f"{self.name!r} is {self._state.value}: parts are added before it is configured"
            )
        if part not in self._given:
            self._given.append(part)
        return part

    def connect(
        self, source: Port[Any], target: Port[Any], *, delayed: bool = False
    ) -> Connection:
        """Connects an output with an input; ``delayed`` by one step, as each cycle needs.

        Raises:
            TypeError: where the types don't fit. ValueError: where the input has a
                source already.
        """
        return self.graph.connect(source, target, delayed=delayed)

    def _parts(self, kind: type[T]) -> list[T]:
        """What was given and what is found among the attributes, each once."""
        own = [v for k, v in vars(self).items() if k not in ("_given", "_plan")]
        return list(dict.fromkeys(p for p in spread([*self._given, *own]) if isinstance(p, kind)))

    @property
    def nodes(self) -> list[Node]:
        """Its nodes, without those of subsystems."""
        return self._parts(Node)

    @property
    def subsystems(self) -> list[System]:
        """The systems in it."""
        return self._parts(System)

    @property
    def components(self) -> list[Component]:
        """All components, those of its nodes and subsystems among them."""
        found = self._parts(Component)
        for node in self.nodes:
            found += node.components
        for subsystem in self.subsystems:
            found += subsystem.components
        return list(dict.fromkeys([*found, *self.graph.components]))

    def full_graph(self) -> ConnectionGraph:
        """All connections, those of subsystems too, as one graph."""
        graph = ConnectionGraph()
        for component in self.components:
            graph.add_component(component)
        for system in self._systems():
            for connection in system.graph.connections:
                graph.add_connection(connection)
        return graph

    def _systems(self) -> list[System]:
        return [self, *(s for sub in self.subsystems for s in sub._systems())]

    # Its life.

    def configure(self) -> None:
        """Checks the graph, finds the order and configures the components.

        Raises:
            ValueError: for a graph that can't run. RuntimeError: from a wrong state.
        """
        self._go("configure", (LifecycleState.UNCONFIGURED,), LifecycleState.INACTIVE, self._order)
        self._all("configure", LifecycleState.UNCONFIGURED)
        self._say("configured")

    def activate(self) -> None:
        """Activates the components, in their order. RuntimeError from a wrong state."""
        self._go("activate", (LifecycleState.INACTIVE,), LifecycleState.ACTIVE, self.on_activate)
        self._all("activate", LifecycleState.INACTIVE)
        self._say("active")

    def deactivate(self) -> None:
        """Deactivates the components, in reverse. RuntimeError from a wrong state."""
        self._go("deactivate", (LifecycleState.ACTIVE,), LifecycleState.INACTIVE, self.on_deactivate)
        self._all("deactivate", LifecycleState.ACTIVE)
        self._say("inactive")

    def shutdown(self) -> None:
        """Shuts the components down in reverse, all of them, whatever one raises; the
        first error is raised in the end."""
        if self._state is LifecycleState.ACTIVE:
            self.deactivate()
        states = (LifecycleState.UNCONFIGURED, LifecycleState.INACTIVE)
        self._go("shutdown", states, LifecycleState.FINALIZED, self.on_shutdown)
        self._all(
            "shutdown",
            LifecycleState.UNCONFIGURED,
            LifecycleState.INACTIVE,
            LifecycleState.ACTIVE,
        )
        self._say("shut down")

    def _order(self) -> None:
        graph = self.full_graph()
        self.on_configure()
        if self.config.validate_graph:
            ok, issues = graph.validate()
            if not ok:
                raise ValueError(f"{self.name!r} can't run: {'; '.join(issues)}")
        incoming: dict[Component, list[Connection]] = {}
        for connection in graph.connections:
            if not connection.delayed:
                incoming.setdefault(connection.target.owner, []).append(connection)
        self._delayed = [c for c in graph.connections if c.delayed]
        try:
            order = graph.topological_sort()
        except ValueError:
            # Only where validation is switched off: then as they were added.
            order = graph.components
        self._plan = [_Turn(c, incoming.get(c, []), self.config.rate_hz) for c in order]

    def _all(self, transition: str, *states: LifecycleState) -> None:
        turns = self._plan if transition in ("configure", "activate") else reversed(self._plan)
        first: BaseException | None = None
        for turn in turns:
            component = turn.component
            if isinstance(component, ComponentLifecycleMixin) and component.state in states:
                try:
                    getattr(component, transition)()
                except Exception as error:
                    if transition in ("configure", "activate"):
                        raise
                    first = first or error
        for subsystem in self._systems()[1:]:
            subsystem._state = self._state
        if first is not None:
            raise first

    def _say(self, what: str) -> None:
        self.log.log(logging.INFO if self.config.verbose else logging.DEBUG, "%s: %s", self.name, what)

    # How it runs.

    def step(self) -> bool:
        """Runs each component that is due once; False where all sources are done.

        A system that is unconfigured is configured and activated first.

        Raises:
            RuntimeError: where it isn't active. What a component raises comes through,
            with a note of its name.
        """
        if self._state is LifecycleState.UNCONFIGURED:
            self.configure()
            self.activate()
        if self._state is not LifecycleState.ACTIVE:
            raise RuntimeError(f"{self.name!r} can't step: it is {self._state.value}, not active")
        if not self._advance():
            return False
        for connection in self._delayed:
            connection.transfer_new()
        for turn in self._plan:
            turn.run(self.now, self._start)
        self.iterations += 1
        return True

    def _advance(self) -> bool:
        """Goes on to the time of the next step; False at the end of all sources."""
        sources = [t.component for t in self._plan if t.is_source]
        times = [time for s in sources if (time := s.next_time()) is not None]
        if sources and not times:
            return False
        if self.iterations == 0:
            self._start = min(times, default=0.0)
        if self.config.rate_hz is not None:
            # Counted from the start, so that nothing adds up to a drift.
            self.now = self._start + self.iterations / self.config.rate_hz
        else:
            self.now = min(times, default=None)
        return True

    def run(self, iterations: int | None = None, *, paced: bool = True) -> int:
        """Steps so many times, or ``max_iterations``, or until its sources are done or
        :meth:`stop` is called; how often it did.

        With a ``rate_hz`` each step waits for its time on the monotonic clock, unless
        ``paced`` is False. When a component raises, the system is shut down.
        """
        limit = iterations if iterations is not None else self.config.max_iterations
        rate = self.config.rate_hz if paced else None
        self._stopped = False
        begin, done = self._pacer.now_ns(), 0
        try:
            while (limit is None or done < limit) and not self._stopped:
                if rate is not None and done > 0:
                    # A stop wakes it; what it missed before this is seen below.
                    ticket = self._pacer.ticket()
                    if self._stopped:
                        break
                    if self._pacer.wait_until(begin + round(done / rate * 1e9), ticket) is None:
                        continue
                if not self.step():
                    break
                done += 1
        except BaseException as error:
            self._abandon(error)
            raise
        if done == 0 and limit != 0 and not self._stopped:
            self.log.warning("%s: no source had anything; hint: play() or auto_play=True", self.name)
        return done

    def stop(self) -> None:
        """Ends a run after its step; from any thread."""
        self._stopped = True
        self._pacer.wake()

    def launch(self, iterations: int | None = None) -> int:
        """Configures, activates, runs and shuts down; how many steps it ran. Ctrl-C
        ends it as if it were done."""
        try:
            done = self.run(iterations)
        except KeyboardInterrupt:
            done = self.iterations
        if self._state is not LifecycleState.FINALIZED:
            self.shutdown()
        return done

    def _abandon(self, error: BaseException) -> None:
        if self._state is LifecycleState.FINALIZED:
            return
        try:
            self.shutdown()
        except Exception as second:
            error.add_note(f"and while {self.name!r} was shut down: {second!r}")

    # How it looks.

    def to_mermaid(self, direction: str = "LR") -> str:
        """The graph as a Mermaid flowchart."""
        return self.full_graph().to_mermaid(direction)

    def plot_graph(
        self, to_file: str | Path | None = None, show: bool = True, rankdir: str = "LR"
    ) -> Axes | None:
        """Draws the graph: components as boxes, connections as arrows.

        ``rankdir`` is ``LR`` or ``TB``. A file that ends in ``.mmd`` or ``.md`` gets
        Mermaid text, any other what matplotlib makes of its name.
        """
        if to_file is not None and Path(to_file).suffix in (".mmd", ".md"):
            text = self.to_mermaid(rankdir)
            fenced = Path(to_file).suffix == ".md"
            Path(to_file).write_text(f"```mermaid\n{text}```\n" if fenced else text)
            return None
        from lk.common.graph_plot import plot_graph

        return plot_graph(self.full_graph(), self.name, to_file, show, rankdir)

    def __repr__(self) -> str:
        return f"System({self.name!r}, {len(self.components)} components, {self._state.value})"


class _Turn:
    """One component's place in the order of a step."""

    def __init__(
        self, component: Component, incoming: list[Connection], rate_hz: float | None
    ) -> None:
        self.component = component
        self.incoming = incoming
        self.is_source = type(component).next_time is not Component.next_time
        config = component.node.config if component.node is not None else None
        self.mode = getattr(config, "execution_mode", ExecutionMode.SEQUENTIAL)
        self.rate_hz = getattr(config, "rate_hz", None) or 0.0
        self.runs = 0
        self.seen = 0
        if self.mode is ExecutionMode.RATE and rate_hz is None:
            raise ValueError(
                f"node {component.node!r} has a rate; hint: give the system a rate_hz too"
            )
        if rate_hz is not None and self.rate_hz > rate_hz:
            raise ValueError(
                f"node {component.node!r} wants {self.rate_hz:g} Hz of a system that steps at "
                f"{rate_hz:g} Hz; hint: raise the system's rate_hz"
            )

    def run(self, now: float | None, start: float) -> None:
        for connection in self.incoming:
            connection.transfer_new()
        if not self._due(now, start):
            return
        self.runs += 1
        try:
            self.component._system_step(now)
        except Exception as error:
            self.component.dx.error(str(error))
            error.add_note(f"in component {self.component.name!r}, step {self.runs}")
            raise

    def _due(self, now: float | None, start: float) -> bool:
        if self.mode is ExecutionMode.ON_DATA:
            seen = sum(port.writes for port in self.component.inputs)
            fresh, self.seen = seen != self.seen, seen
            return fresh
        if self.mode is ExecutionMode.RATE and now is not None:
            # n/rate is rounded on both sides.
            return now - start >= self.runs / self.rate_hz - slack(now)
        return True
