"""Graphs, nodes and systems: what is connected runs in order."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lk.common.component import Component, LifecycleComponent, LifecycleState
from lk.common.config import SystemConfig
from lk.common.dataset import Dataset
from lk.common.dataset.playback import DataPlayback
from lk.common.dataset.recorder import DataRecorder
from lk.common.graph import Connection, ConnectionGraph
from lk.common.node import ExecutionMode, Node, NodeConfig
from lk.common.port import InputPort, OutputPort
from lk.common.system import System
from lk.msgs.msg import Msg


class Vec2(Msg):
    x: float = 0.0


class Vec3(Vec2):
    z: float = 0.0


class Count(Component):
    n = OutputPort("n", int)

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.numbers = itertools.count(1)

    def forward(self) -> int:
        return next(self.numbers)


class Double(Component):
    n = InputPort("n", int)
    twice = OutputPort("twice", int)

    def forward(self, n: int) -> int:
        return 2 * n


def chain(length: int) -> tuple[ConnectionGraph, list[Double]]:
    graph, doubles = ConnectionGraph(), [Double(f"d{n}") for n in range(length)]
    for a, b in itertools.pairwise(doubles):
        graph.connect(a.twice, b.n)
    return graph, doubles


def test_a_subclass_flows_into_its_base_and_not_back() -> None:
    base, derived = OutputPort("base", Vec2), OutputPort("derived", Vec3)
    Connection(derived, InputPort("in", Vec2))
    with pytest.raises(TypeError, match="'base' gives Vec2, and 'in' takes Vec3"):
        Connection(base, InputPort("in", Vec3))


def test_a_transfer_carries_the_value_and_disconnecting_ends_it() -> None:
    source, target = OutputPort("out", float), InputPort("in", float)
    connection = Connection(source, target)
    assert not connection.transfer() and target.value is None
    source.write(1.5)
    assert connection.transfer() and target.read() == 1.5
    assert source.connections == target.connections == [connection]
    connection.disconnect()
    assert source.connections == target.connections == []


def test_what_was_carried_is_not_new() -> None:
    source, target = OutputPort("out", float), InputPort("in", float)
    connection = Connection(source, target)
    source.write(1.0)
    assert connection.transfer_new() and not connection.transfer_new()
    source.write(1.0)
    assert connection.transfer_new() and target.writes == 2


def test_an_input_has_one_source() -> None:
    graph, a, b, c = ConnectionGraph(), Count("a"), Count("b"), Double("c")
    graph.connect(a.n, c.n)
    with pytest.raises(ValueError, match="'c.n' is connected to 'a.n' already"):
        graph.connect(b.n, c.n)
    with pytest.raises(TypeError, match="'c.n' is an input: it can't be a source"):
        graph.connect(c.n, b.n)


def test_components_are_sorted_by_dependency_then_name() -> None:
    graph, (d0, d1, d2) = chain(3)
    other = Double("a")
    graph.add_component(other)
    assert graph.topological_sort() == [other, d0, d1, d2]
    assert graph.get_component_dependencies(d2) == [d1]
    assert graph.get_component_dependencies() == {other: [], d0: [], d1: [d0], d2: [d1]}
    assert graph.components == [other, d0, d1, d2] and len(graph.connections) == 2


def test_a_cycle_is_named_in_the_direction_of_values() -> None:
    graph, (d0, d1, d2) = chain(3)
    graph.connect(d2.twice, d0.n)
    assert graph.detect_cycles() == [[d0, d1, d2]]
    ok, issues = graph.validate()
    assert not ok and issues[0].startswith("cycle: d0 -> d1 -> d2 -> d0")
    with pytest.raises(ValueError, match="d0 -> d1 -> d2 -> d0"):
        graph.topological_sort()


def test_a_cycle_with_a_delay_is_none() -> None:
    graph, (d0, _, d2) = chain(3)
    graph.connect(d2.twice, d0.n, delayed=True)
    assert graph.detect_cycles() == [] and graph.validate() == (True, [])


def test_a_connection_can_be_taken_out() -> None:
    graph, (d0, d1) = chain(2)
    connection = graph.connections[0]
    graph.remove_connection(connection)
    assert graph.connections == [] and d0.twice.connections == d1.n.connections == []
    with pytest.raises(ValueError, match="not in this graph"):
        graph.remove_connection(connection)


def test_all_values_that_there_are_are_transferred() -> None:
    graph, (d0, d1, d2) = chain(3)
    d0.twice.write(8)
    assert graph.transfer_all() == 1
    assert (d1.n.value, d2.n.value) == (8, None)


class Demo(System):
    def __init__(self, config: Any = None) -> None:
        super().__init__(config=config)
        self.double = Double("double")
        self.count = Count("count")
        self.connect(self.count.n, self.double.n)
        self.add_output("twice", self.double.twice)


def test_a_system_steps_its_components_in_order() -> None:
    demo = Demo()
    seen = []
    for _ in range(3):
        demo.step()
        seen.append(demo.outputs.twice.value)
    assert seen == [2, 4, 6] and demo.iterations == 3


def test_a_run_ends_after_its_iterations() -> None:
    assert Demo().run(5) == 5
    assert Demo(SystemConfig(max_iterations=3)).run() == 3
    assert Demo({"max_iterations": 3}).run(2) == 2


def test_a_system_finds_components_nodes_and_subsystems_among_its_attributes() -> None:
    class Arm(Node):
        def __init__(self) -> None:
            super().__init__("arm", component_configs={})
            self.joint = Double("joint")

    class Robot(System):
        def __init__(self) -> None:
            super().__init__()
            self.arm = Arm()
            self.demo = Demo()
            self.wheels = [Count("left"), Count("right")]

    robot = Robot()
    names = {component.name for component in robot.components}
    assert names == {"joint", "double", "count", "left", "right"}
    assert [n.name for n in robot.nodes] == ["arm"] and robot.subsystems == [robot.demo]
    robot.run(2)
    assert robot.demo.outputs.twice.value == 4


def test_parts_can_be_given_and_added() -> None:
    count, double = Count("count"), Double("double")
    system = System(components=[double], inputs={}, outputs={"twice": double.twice})
    system.add_component(count)
    system.connect(count.n, double.n)
    system.run(1)
    assert system.outputs.twice.value == 2
    with pytest.raises(RuntimeError, match="parts are added before it is configured"):
        system.add_node(Node("late"))


def test_a_loop_is_refused_before_it_runs_and_runs_with_a_delay() -> None:
    class Integrate(Component):
        last = InputPort("last", int)
        total = OutputPort("total", int)

        def forward(self, last: int = 0) -> int:
            return last + 1

    def loop(delayed: bool) -> System:
        part = Integrate()
        system = System(components=[part], outputs={"total": part.total})
        system.connect(part.total, part.last, delayed=delayed)
        return system

    with pytest.raises(ValueError, match=r"cycle: Integrate -> Integrate; hint: .*delayed"):
        loop(delayed=False).configure()
    system = loop(delayed=True)
    system.run(4)
    assert system.outputs.total.value == 4


class Staged(LifecycleComponent):
    log_of_all: list[str]

    def __init__(self, name: str, calls: list[str]) -> None:
        super().__init__(name)
        self.calls = calls

    def on_configure(self) -> None:
        self.calls.append(f"{self.name} configure")

    def on_activate(self) -> None:
        self.calls.append(f"{self.name} activate")

    def on_deactivate(self) -> None:
        self.calls.append(f"{self.name} deactivate")

    def on_shutdown(self) -> None:
        self.calls.append(f"{self.name} shutdown")

    def forward(self) -> None:
        if self.name == "b" and self.calls.count("boom") == 0:
            self.calls.append("boom")
            raise OSError("lost the arm")


def test_an_error_shuts_the_system_down_in_reverse_order() -> None:
    calls: list[str] = []
    system = System(components=[Staged("a", calls), Staged("b", calls)])
    with pytest.raises(OSError, match="lost the arm") as caught:
        system.run(3)
    assert calls == [
        "a configure", "b configure", "a activate", "b activate", "boom",
        "b deactivate", "a deactivate", "b shutdown", "a shutdown",
    ]  # fmt: skip
    assert system.state is LifecycleState.FINALIZED
    assert caught.value.__notes__ == ["in component 'b', step 1"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.activate(), "can't activate: it is unconfigured"),
        (lambda s: s.deactivate(), "can't deactivate: it is unconfigured"),
        (lambda s: (s.configure(), s.step()), "can't step: it is inactive"),
        (lambda s: (s.shutdown(), s.run(1)), "can't step: it is finalized"),
    ],
)
def test_a_system_in_the_wrong_state_says_so(
    call: Callable[[System], object], message: str
) -> None:
    with pytest.raises(RuntimeError, match=message):
        call(Demo())


def test_launching_leaves_a_system_that_is_shut_down() -> None:
    demo = Demo(SystemConfig(max_iterations=2))
    assert demo.launch() == 2 and demo.state is LifecycleState.FINALIZED


def test_a_paced_run_keeps_its_rate_and_its_own_time() -> None:
    demo = Demo(SystemConfig(rate_hz=2000.0))
    assert demo.run(5) == 5 and demo.now == pytest.approx(4 / 2000.0)
    unpaced = Demo(SystemConfig(rate_hz=1e-3))
    assert unpaced.run(3, paced=False) == 3 and unpaced.now == pytest.approx(2000.0)


def test_a_run_can_be_stopped_from_another_thread() -> None:
    demo = Demo(SystemConfig(rate_hz=1e-3))
    started = threading.Event()

    def count() -> int:
        started.set()
        return 1

    demo.count.forward = count  # type: ignore[method-assign]
    runner = threading.Thread(target=demo.run)
    runner.start()
    assert started.wait(10)
    demo.stop()
    runner.join(10)
    assert not runner.is_alive() and demo.iterations == 1


def test_a_node_runs_at_its_own_rate() -> None:
    slow = Node("slow", NodeConfig(ExecutionMode.RATE, rate_hz=25.0))
    count = Count("count", node=slow)
    fast = Count("fast")
    system = System(nodes=[slow], components=[fast], config={"rate_hz": 100.0})
    system.run(9, paced=False)
    assert (count.n.value, fast.n.value) == (3, 9)


def test_a_node_on_data_waits_for_it() -> None:
    node = Node("node", {"execution_mode": "on_data"})
    double = Double("double", node=node)
    system = System(nodes=[node])
    system.run(2)
    double.n.value = 4
    system.run(2)
    assert double.dx.counters["steps"] == 1 and double.twice.value == 8


def test_a_rate_needs_the_mode_and_the_mode_a_rate() -> None:
    with pytest.raises(ValueError, match="rate_hz"):
        NodeConfig(ExecutionMode.RATE)
    with pytest.raises(ValueError, match="rate_hz"):
        NodeConfig(rate_hz=10.0)
    node = Node("slow", NodeConfig(ExecutionMode.RATE, rate_hz=10.0))
    Count("count", node=node)
    with pytest.raises(ValueError, match="give the system a rate_hz"):
        System(nodes=[node]).configure()
    with pytest.raises(ValueError, match="slow.* wants 10 Hz of a system that steps at 5 Hz"):
        System(nodes=[node], config={"rate_hz": 5.0}).configure()
    System(nodes=[node], config={"rate_hz": 10.0}).configure()


def test_a_node_configures_components_by_their_name() -> None:
    class Offset(Component):
        class Config(Msg):
            by: int = 0

    node = Node("node", component_configs={"a": {"by": 3}})
    assert Offset("a", node=node).config.by == 3
    assert Offset("b", node=node).config.by == 0
    assert node.config_for("a") == {"by": 3}


def test_a_graph_is_written_as_mermaid(tmp_path: Path) -> None:
    demo = Demo()
    expected = 'flowchart LR\n    c0["count"]\n    c1["double"]\n    c0 -->|"n"| c1\n'
    assert demo.to_mermaid() == expected
    demo.plot_graph(tmp_path / "graph.md")
    assert (tmp_path / "graph.md").read_text() == f"```mermaid\n{expected}```\n"


def test_names_in_mermaid_are_never_markup() -> None:
    demo = Demo()
    demo.components[0].name = 'a.b "c" <d> `*e*` #quot; 1. f'
    label = demo.to_mermaid().splitlines()[1]
    assert label == '    c0["a.b #34;c#34; #60;d#62; #96;#42;e#42;#96; #35;quot#59; 1#46; f"]'


def test_a_graph_is_drawn_with_all_components_and_ports(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    ax = Demo().plot_graph(tmp_path / "graph.png")
    assert ax is not None
    assert {"count", "double", "n"} <= {text.get_text() for text in ax.texts}
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_at_the_rate_of_a_recording_since_1970_no_sample_is_lost() -> None:
    for offset in range(0, 10**9, 137_000_003):
        recorded, copied = Dataset.create(), Dataset.create()
        for n in range(20):
            time_ns = 1_700_000_000_123_456_789 + offset + n * 10_000_000
            recorded.write("x", float(n), timestamp_ns=time_ns)
        playback = DataPlayback(recorded, config={"auto_play": True})
        recorder = DataRecorder(copied)
        system = System(components=[playback, recorder], config={"rate_hz": 100.0})
        system.connect(playback.outputs.x, recorder.add_input("x", float))
        system.run(30, paced=False)
        assert copied.read("x") == recorded.read("x")


def test_components_in_a_list_of_a_node_run_too() -> None:
    ran: list[str] = []

    class Part(Component):
        def forward(self) -> None:
            ran.append(self.name)

    node = Node("node")
    node.parts = [Part("a"), Part("b")]  # type: ignore[attr-defined]
    System(nodes=[node]).run(1)
    assert ran == ["a", "b"]
