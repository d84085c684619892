"""Ports, components, their lifecycle and their diagnostics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt
import pytest

from lk.common.component import Component, LifecycleComponent, LifecycleState
from lk.common.dx import Level
from lk.common.port import InputPort, OutputPort, PortCollection
from lk.msgs.msg import Msg
from lk.msgs.random_msgs import RandomFloat


class Vec2(Msg):
    x: float = 0.0
    y: float = 0.0


class Vec3(Vec2):
    z: float = 0.0


class Gain(Component):
    @dataclass
    class Config:
        k: float = 2.0

    x = InputPort("x", float)
    y = OutputPort("y", float)

    def forward(self, x: float) -> float:
        return float(self.config.k * x)


def test_a_port_refuses_a_value_of_another_type_by_name() -> None:
    port = OutputPort("pose", Vec2, owner=Gain("arm"))
    with pytest.raises(TypeError, match=r"'arm.pose' takes Vec2, not str"):
        port.value = "north"  # type: ignore[assignment]
    assert port.value is None and port.writes == 0


def test_a_subclass_may_flow_into_a_port_of_its_base() -> None:
    port = OutputPort("pose", Vec2)
    port.write(Vec3(1.0))
    assert port.value == Vec3(1.0)


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (float, 1, True),
        (float, np.float32(1.0), True),
        (float, True, False),
        (float, None, False),
        (int, np.int64(1), True),
        (int, 1.0, False),
        (int, True, True),
        (bool, np.bool_(True), True),
        (bool, 1, False),
        (Optional[Vec2], None, True),
        (int | str, "a", True),
        (int | str, 1.5, False),
        (list[float], [1.0], True),
        (np.ndarray, np.zeros(2), True),
        (npt.NDArray[np.float64], np.zeros(2), True),
        (npt.NDArray[np.float64], [0.0], False),
        (Any, object(), True),
        (object, None, True),
    ],
)
def test_a_port_takes_what_a_type_checker_would(kind: Any, value: Any, fits: bool) -> None:
    port = OutputPort("p", kind)
    if fits:
        port.write(value)
        assert port.value is value and port.writes == 1
    else:
        with pytest.raises(TypeError):
            port.write(value)


def test_none_clears_a_port_and_is_no_value_to_write() -> None:
    port = OutputPort("p", float)
    port.write(1.0)
    port.value = None
    assert port.value is None
    with pytest.raises(TypeError):
        port.write(None)  # type: ignore[arg-type]


def test_an_input_without_a_distribution_can_not_be_sampled() -> None:
    port = InputPort("speed", float)
    with pytest.raises(ValueError, match=r"'speed' has no distribution.*hint"):
        port.sample()
    port.dist = RandomFloat.uniform(1.0, 2.0)
    assert 1.0 <= port.sample() <= 2.0 and port.read() is not None


def test_a_collection_finds_its_ports_by_name() -> None:
    ports: PortCollection[InputPort[Any]] = PortCollection("owner")
    a, b = InputPort("a", float), InputPort("b", int)
    ports.add_port("a", a)
    ports.add_port("b", b)
    assert ports.a is a and ports.get_port("b") is b and ports["a"] is a
    assert list(ports) == [a, b] and len(ports) == 2 and "a" in ports
    assert ports.all_ports() == {"a": a, "b": b} and a.owner == "owner"


def test_a_port_that_is_not_there_is_named_with_those_that_are() -> None:
    ports: PortCollection[InputPort[Any]] = PortCollection()
    ports.add_port("a", InputPort("a", float))
    with pytest.raises(KeyError, match="no port 'x'; there are: a"):
        ports.get_port("x")
    with pytest.raises(AttributeError, match="no port 'x'"):
        _ = ports.x
    with pytest.raises(ValueError, match="there is a port 'a' already"):
        ports.add_port("a", InputPort("a", int))


def test_ports_of_the_class_belong_to_each_instance() -> None:
    first, second = Gain("first"), Gain("second")
    first.x.value = 1.0
    assert second.x.value is None and first.x.owner is first
    assert first.inputs.x is first.x is first.in_.x and first.outputs.y is first.out.y


def test_ports_are_found_before_and_after_the_constructor() -> None:
    class Early(Component):
        def __init__(self) -> None:
            self.early = InputPort("early", float)
            super().__init__()
            self.late = OutputPort("late", float)

    early = Early()
    early._discover_ports()
    assert list(early.inputs.all_ports()) == ["early"]
    assert list(early.outputs.all_ports()) == ["late"]
    assert early.early.owner is early


def test_a_port_of_another_component_is_not_adopted() -> None:
    class Watcher(Component):
        def __init__(self, watched: OutputPort[float]) -> None:
            super().__init__()
            self.watched = watched

    assert len(Watcher(Gain().y).outputs) == 0


def test_calling_a_component_calls_its_forward() -> None:
    assert Gain()(3.0) == 6.0
    assert Gain(config=Gain.Config(k=0.5))(3.0) == 1.5
    assert Gain(config={"k": 4.0})(3.0) == 12.0
    with pytest.raises(TypeError, match="config of Gain.*'q'"):
        Gain(config={"q": 4.0})
    with pytest.raises(NotImplementedError, match="Component has no forward"):
        Component()()


def test_a_step_takes_values_by_name_and_returns_them_by_name() -> None:
    class Swap(Component):
        a = InputPort("a", float)
        b = InputPort("b", float)
        c = OutputPort("c", float)
        d = OutputPort("d", float)

        def forward(self, b: float, a: float) -> dict[str, float]:
            return {"d": a, "c": b}

    swap = Swap()
    swap.a.value, swap.b.value = 1.0, 2.0
    assert swap.step()
    assert (swap.c.value, swap.d.value) == (2.0, 1.0)


def test_a_step_takes_values_in_order_where_no_name_fits() -> None:
    class Sum(Component):
        left = InputPort("left", float)
        right = InputPort("right", float)
        low = OutputPort("low", float)
        high = OutputPort("high", float)

        def forward(self, u: float, v: float) -> tuple[float, float]:
            return min(u, v), max(u, v)

    total = Sum()
    total.left.value, total.right.value = 5.0, 2.0
    assert total.step()
    assert (total.low.value, total.high.value) == (2.0, 5.0)


def test_a_forward_without_parameters_uses_the_ports_itself() -> None:
    class Own(Gain):
        def forward(self) -> None:  # type: ignore[override]
            value = self.x.read()
            self.y.write(-1.0 if value is None else value)

    own = Own()
    assert own.step() and own.y.value == -1.0


def test_a_step_waits_for_inputs_that_it_needs() -> None:
    class Maybe(Gain):
        def forward(self, x: float = 7.0) -> float:
            return x

    gain, maybe = Gain(), Maybe()
    assert not gain.step() and gain.y.value is None
    assert gain.dx.level is Level.STALE and gain.dx.counters["waited_for_inputs"] == 1
    assert maybe.step() and maybe.y.value == 7.0 and maybe.dx.level is Level.OK


def test_a_result_that_fits_no_output_is_an_error() -> None:
    class Wrong(Gain):
        z = OutputPort("z", float)

    wrong = Wrong()
    wrong.x.value = 1.0
    with pytest.raises(TypeError, match=r"returned float, which fits its outputs \(y, z\)"):
        wrong.step()


class Recorded(LifecycleComponent):
    def __init__(self) -> None:
        super().__init__("arm")
        self.calls: list[str] = []

    def on_configure(self) -> None:
        self.calls.append("configure")

    def on_activate(self) -> None:
        self.calls.append("activate")

    def on_deactivate(self) -> None:
        self.calls.append("deactivate")

    def on_shutdown(self) -> None:
        self.calls.append("shutdown")

    def on_destroy(self) -> None:
        self.calls.append("destroy")

    def forward(self) -> None:
        self.calls.append("step")


def test_a_component_goes_through_the_stages_of_its_life() -> None:
    arm = Recorded()
    states = [arm.state]
    for transition in (arm.configure, arm.activate, arm.step, arm.deactivate, arm.shutdown):
        transition()
        states.append(arm.state)
    names = [state.value for state in states]
    assert names == ["unconfigured", "inactive", "active", "active", "inactive", "finalized"]
    assert arm.calls == ["configure", "activate", "step", "deactivate", "shutdown"]


def test_destroy_ends_a_component_from_any_state_once() -> None:
    arm = Recorded()
    arm.configure()
    arm.activate()
    arm.destroy()
    arm.destroy()
    assert arm.calls == ["configure", "activate", "deactivate", "shutdown", "destroy"]


@pytest.mark.parametrize(
    ("transition", "message"),
    [
        (lambda a: a.activate(), "'arm' can't activate: it is unconfigured, and must be inactive"),
        (lambda a: a.deactivate(), "'arm' can't deactivate: it is unconfigured"),
        (lambda a: a.step(), "'arm' can't step: it is unconfigured, and must be active"),
        (lambda a: (a.configure(), a.configure()), "it is inactive, and must be unconfigured"),
        (lambda a: (a.shutdown(), a.shutdown()), "can't shutdown: it is finalized"),
    ],
)
def test_a_transition_from_the_wrong_state_names_both(
    transition: Callable[[Recorded], object], message: str
) -> None:
    with pytest.raises(RuntimeError, match=message):
        transition(Recorded())


def test_a_hook_that_raises_leaves_the_state_as_it_was() -> None:
    class Broken(Recorded):
        def on_configure(self) -> None:
            raise OSError("no device")

    arm = Broken()
    with pytest.raises(OSError, match="no device"):
        arm.configure()
    assert arm.state is LifecycleState.UNCONFIGURED


def test_a_standing_error_is_not_hidden_by_a_warning() -> None:
    dx = Gain().dx
    dx.error("no signal")
    dx.warn("late")
    assert (dx.level, dx.message) == (Level.ERROR, "no signal")
    dx.ok()
    assert (dx.level, dx.message) == (Level.OK, "")


def test_each_component_has_a_log_of_its_name(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="lk.arm"):
        Gain("arm").log.info("ready")
    assert caplog.messages == ["ready"]


def test_none_is_a_value_where_a_port_takes_it() -> None:
    class Present(Component):
        x = InputPort("x", float | None)  # type: ignore[arg-type]
        y = OutputPort("y", bool)

        def forward(self, x: float | None) -> bool:
            return x is not None

    present = Present()
    assert not present.step(), "nothing came yet"
    present.inputs.x.value = None
    assert present.step() and present.outputs.y.value is False


def test_a_forward_of_any_number_of_values_gets_all_inputs() -> None:
    class Sum(Component):
        a = InputPort("a", float)
        b = InputPort("b", float)
        total = OutputPort("total", float)

        def forward(self, *values: float) -> float:
            return sum(values)

    adder = Sum()
    adder.inputs.a.value = 1.0
    assert not adder.step()
    adder.inputs.b.value = 2.0
    assert adder.step() and adder.outputs.total.value == 3.0
