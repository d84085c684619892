"""Compiling: what lk does itself, what it is given, and what it says where neither."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lk.common.component import Component
from lk.common.dataset import Dataset
from lk.common.dataset.replay import input_names, replay
from lk.common.port import InputPort, OutputPort
from lk.errors import CandidateError, Error
from lk.utils.compile import ai_compile, nn_compile, training_data
from lk.utils.prompt import Prompt


class Sum(Component):
    """Adds what comes to what came: it has a state."""

    x = InputPort("x", float)
    total = OutputPort("total", float)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.so_far = 0.0

    def forward(self, x: float) -> float:
        self.so_far += x
        return self.so_far


def inputs(count: int = 5) -> Dataset:
    made = Dataset.create()
    for n in range(count):
        made.write("x", float(n), 0.5 * n)
        made.write("other", "ignored", 0.5 * n)
    return made


def test_a_replay_steps_a_component_through_recorded_inputs() -> None:
    outputs = replay(Sum(), inputs())
    assert outputs.keys() == ["total"] and outputs.read("total") == [0.0, 1.0, 3.0, 6.0, 10.0]
    assert outputs.get_timestamps("total") == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert replay(Sum(), inputs(), record_inputs=True).keys() == ["x", "total"]


def test_a_replay_keeps_the_last_of_inputs_that_come_more_rarely() -> None:
    made = Dataset.create()
    for n in range(4):
        made.write("fast", float(n), float(n))
    made.write("slow", 10.0, 1.0)
    made.write("slow", 20.0, 3.0)

    def add(fast: float, slow: float) -> dict[str, float]:
        return {"sum": fast + slow}

    outputs = replay(add, made)
    assert outputs.read("sum") == [11.0, 12.0, 23.0]
    assert outputs.get_timestamps("sum") == [1.0, 2.0, 3.0] and input_names(add) == ["fast", "slow"]


def test_times_of_today_keep_their_nanoseconds() -> None:
    # As float seconds the first two are the same time.
    times = [1_700_000_000_123_456_789, 1_700_000_000_123_456_799, 1_700_000_001_000_000_001]
    made = Dataset.create()
    for n, time_ns in enumerate(times):
        made.write("x", float(n), timestamp_ns=time_ns)
    outputs = replay(Sum(), made, record_inputs=True)
    assert outputs.timestamps_ns("total").tolist() == outputs.timestamps_ns("x").tolist() == times


def test_what_can_not_be_replayed_is_named() -> None:
    def needs(nothing: float) -> float:
        return nothing

    with pytest.raises(KeyError, match="no key for the input 'nothing'; there are: x, other"):
        replay(needs, inputs())

    def broken(x: float) -> float:
        return 1.0 / (x - 2.0)

    with pytest.raises(ZeroDivisionError) as caught:
        replay(broken, inputs())
    assert caught.value.__notes__ == ["in tick 2, at 1.0 s"]

    def same(x: float) -> dict[str, float]:
        return {"x": x}

    with pytest.raises(ValueError, match="'x' is an input and an output"):
        replay(same, inputs(), record_inputs=True)


def test_without_a_writer_the_project_is_left_and_said(lk_command: str, tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="lk asks no model by itself: give ai_compile"):
        ai_compile(Sum(), inputs(), tmp_path, command=[lk_command])
    assert "# Port sum to C++" in (tmp_path / "prompt.md").read_text()
    assert (tmp_path / "cpp" / "component.cpp").exists() and (tmp_path / "lk.toml").exists()
    assert Dataset.load(tmp_path / "reference.mcap").read("total") == [0.0, 1.0, 3.0, 6.0, 10.0]


def test_a_port_that_does_not_build_did_not_pass(lk_command: str, tmp_path: Path) -> None:
    def write(prompt: Prompt, port: Path) -> None:
        (port / "component.cpp").write_text("this is no C++\n")

    compiled = ai_compile(Sum(), inputs(), tmp_path, write=write, command=[lk_command])
    assert not compiled and compiled.candidate is None and "error" in compiled.report
    assert compiled.outcome["candidates"]


def test_a_missing_or_failing_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *args, **options: None)
    with pytest.raises(FileNotFoundError) as caught:
        ai_compile(Sum(), inputs(), tmp_path)
    assert caught.value.__notes__[0].startswith("hint: ")
    with pytest.raises(CandidateError, match="lk init:"):
        ai_compile(Sum(), inputs(), tmp_path, command=["false"])


def test_a_component_without_outputs_can_not_be_compiled(tmp_path: Path) -> None:
    def silent(x: float) -> None:
        pass

    with pytest.raises(Error, match="silent gave no output for these inputs"):
        ai_compile(silent, inputs(), tmp_path, command=["true"])
    with pytest.raises(Error, match="silent took or gave nothing"):
        nn_compile(silent, inputs(), lambda x, y: lambda z: z)


def test_training_data_are_a_row_for_each_tick() -> None:
    made = Dataset.create()
    for n in range(3):
        made.write("state", {"position": 1.0 * n, "mode": "idle", "moving": n > 0}, float(n))
        if n > 0:
            made.write("force", np.array([2.0 * n, 3.0 * n]), float(n))
    data = training_data(made, ["state"], ["force"])
    np.testing.assert_array_equal(data.inputs, [[1.0, 1.0], [2.0, 1.0]])
    np.testing.assert_array_equal(data.outputs, [[2.0, 3.0], [4.0, 6.0]])
    assert data.input_fields == ["state.position", "state.moving"]
    assert data.output_fields == ["force[0]", "force[1]"]
    assert data.times.tolist() == [1.0, 2.0]


def test_fields_that_change_on_the_way_are_refused() -> None:
    made = Dataset.create()
    made.write("x", [1.0], 0.0)
    made.write("y", 1.0, 0.0)
    made.write("x", [1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="the fields are others at 1.0 s"):
        training_data(made, ["x"], ["y"])
    with pytest.raises(ValueError, match="no tick by which"):
        training_data(inputs(), [], [])


def test_a_stand_in_is_compared_on_what_it_was_not_trained_on() -> None:
    seen: list[int] = []

    def double(x: float) -> float:
        return 2.0 * x

    def train(x: Any, y: Any) -> Any:
        seen.append(len(x))
        slope = float((x * y).sum() / (x * x).sum())
        return lambda z: slope * z

    made = nn_compile(double, inputs(10), train, held_out=0.3, tolerance=1e-9)
    assert made and seen == [7] and made.input_fields == ["x"] and made.output_fields == ["output"]
    assert made.reference.read("output") == [14.0, 16.0, 18.0]
    assert made.reference.get_timestamps("output") == [3.5, 4.0, 4.5]
    wrong = nn_compile(double, inputs(10), lambda x, y: lambda z: 2.0 * z + (z > 8.0))
    assert not wrong and wrong.comparison.key_diffs["output"].max_error == 1.0


def test_training_is_not_part_of_lk_yet_and_it_says_so() -> None:
    with pytest.raises(NotImplementedError, match="lk trains no network yet: give nn_compile"):
        nn_compile(Sum(), inputs())
    with pytest.raises(ValueError, match="held_out is 1.5"):
        nn_compile(Sum(), inputs(), lambda x, y: lambda z: z, held_out=1.5)
    with pytest.raises(ValueError, match=r"predict gave shape \(1, 2\), and \(1, 1\)"):
        nn_compile(Sum(), inputs(), lambda x, y: lambda z: np.zeros((len(z), 2)))


def test_a_key_and_a_field_of_one_name_are_refused() -> None:
    dataset = Dataset.create()
    dataset.write("pose", {"x": 1.0}, 0.0)
    dataset.write("pose.x", 2.0, 0.0)
    dataset.write("out", 3.0, 0.0)
    with pytest.raises(ValueError, match="two fields are called 'pose.x'"):
        training_data(dataset, ["pose", "pose.x"], ["out"])


def test_what_an_earlier_port_did_is_not_given_for_one_that_did_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "port"
    stale = folder / "target/lk/candidate-cpp.mcap"
    lk = tmp_path / "lk.py"
    # It sets nothing up, and says that the port did not build.
    lk.write_text(
        "import pathlib, sys\n"
        "if sys.argv[1] == 'verify':\n"
        "    pathlib.Path(sys.argv[2], 'target/lk/report.json').write_text('{}')\n"
        "    sys.exit(3)\n"
    )

    def write(prompt: Prompt, port: Path) -> None:
        stale.parent.mkdir(parents=True, exist_ok=True)
        stale.write_bytes(b"")

    recorded = Dataset.create()
    recorded.write("x", 1.0, 0.0)
    made = ai_compile(Sum(), recorded, folder, write=write, command=[sys.executable, str(lk)])
    assert not made.passed and made.candidate is None
