"""Programs in other processes as components of systems in Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

import lk

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "pd_controller"

COMPONENTS = """
import os, sys, time
from dataclasses import dataclass

print("process", os.getpid())

@dataclass
class Vec3:
    x: float
    y: float
    z: float

class Adder:
    inputs = {"vector": Vec3}
    outputs = {"total": Vec3}

    def __init__(self):
        self.total = Vec3(0.0, 0.0, 0.0)

    def step(self, vector):
        t = self.total
        self.total = Vec3(t.x + vector.x, t.y + vector.y, t.z + vector.z)
        return self.total

class Raising(Adder):
    def step(self, vector):
        if vector.x == 2.0:
            raise ValueError("two is too many")
        return super().step(vector)

class Crashing(Adder):
    def step(self, vector):
        if vector.x == 2.0:
            print("about to go")
            os._exit(7)
        return super().step(vector)

class Hanging(Adder):
    def step(self, vector):
        while vector.x == 2.0:
            pass
        return super().step(vector)
"""

LIMITED = "\n[candidates.{name}.limits]\ntick_s = 0.3\n"


@dataclass
class Vec3:
    x: float
    y: float
    z: float


@dataclass
class Vec2:
    x: float
    y: float


@dataclass
class State:
    position_m: float = 0.0
    velocity_m_s: float = 0.0


@dataclass
class Control:
    force_n: float = 0.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "components.py").write_text(COMPONENTS)
    (tmp_path / "msg").mkdir()
    (tmp_path / "msg" / "Vec3.msg").write_text("float64 x\nfloat64 y\nfloat64 z\n")
    text = (
        '[component]\nname = "adder"\n[inputs]\nvector = "adder/Vec3"\n'
        '[outputs]\ntotal = "adder/Vec3"\n'
    )
    for name in ("Adder", "Raising", "Crashing", "Hanging", "Stuck"):
        target = "Hanging" if name == "Stuck" else name
        run = [sys.executable, "-m", "lk.harness", f"components:{target}"]
        text += f"[candidates.{name}]\nrun = {run}\ndefault = {str(name == 'Adder').lower()}\n"
    (tmp_path / "lk.toml").write_text(text + LIMITED.format(name="Hanging"))
    return tmp_path


def adder(project: Path, implementation: str = "candidate", **options: object) -> lk.Program:
    types = {"vector": Vec3, "total": Vec3}
    return lk.Program(project, implementation, types=types, **options)  # type: ignore[arg-type]


def process_of(program: lk.Program) -> int:
    return int(program.log_lines()[0].removeprefix("process "))


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_has_the_ports_of_the_lk_toml_and_answers(project: Path) -> None:
    with adder(project) as program:
        assert program.name == "adder"
        assert program.inputs.vector.msg_type is Vec3
        assert program(Vec3(1, 2, 3)) == Vec3(1, 2, 3)
        assert program(vector=Vec3(1, 2, 3)) == Vec3(2, 4, 6)
        assert program.outputs.total.value == Vec3(2, 4, 6)
        process = process_of(program)
        program.reset()
        assert program(Vec3(1, 0, 0)) == Vec3(1, 0, 0)
        assert program.is_alive and is_there(process)
    assert not is_there(process)
    with pytest.raises(RuntimeError, match="'adder' can't step: it is finalized"):
        program.step()


def test_values_are_records_where_no_class_is_given(project: Path) -> None:
    with lk.Program(project / "lk.toml", name="sums") as program:
        record = program.inputs.vector.msg_type
        assert issubclass(record, lk.Record)
        total = program(record(1.0, 2.0, 3.0))
        assert (total.x, total.y, total.z) == (1.0, 2.0, 3.0)
        with pytest.raises(TypeError, match="port 'sums.vector' takes Vec3"):
            program(Vec3(1.0, 2.0, 3.0))


def test_what_does_not_fit_is_refused_by_name(project: Path) -> None:
    with pytest.raises(lk.SchemaError, match="Vec2 has other fields than port 'vector'"):
        lk.Program(project, types={"vector": Vec2})
    with pytest.raises(KeyError, match="no port 'vectr' for types; there are: vector, total"):
        lk.Program(project, types={"vectr": Vec3})
    with pytest.raises(lk.Error, match="no candidate Ader") as caught:
        lk.Program(project, "Ader")
    assert "did you mean `Adder`" in str(caught.value.__notes__)
    with pytest.raises(lk.Error, match="reference is no program"):
        lk.Program(project, "reference")
    with pytest.raises(FileNotFoundError, match=r"no lk\.toml in"):
        lk.Program(project / "msg")
    with adder(project) as program:
        with pytest.raises(TypeError, match="'speed' is no input of 'adder'"):
            program(speed=1.0)
        program.inputs.vector.value = Vec3("fast", 0, 0)  # type: ignore[arg-type]
        with pytest.raises(lk.SchemaError, match=r"input vector of adder \(candidate Adder\).*field x"):
            program.step(1.0)
        program.inputs.vector.clear()
        program.step(1.0)
        with pytest.raises(lk.Error, match=r"can't be stepped at 0\.5.* s, after it was at 1\.0"):
            program.step(0.5)


def test_an_error_of_its_component_is_one_of_the_step_and_it_goes_on(project: Path) -> None:
    with adder(project, "Raising") as program:
        program(Vec3(1, 0, 0))
        with pytest.raises(lk.CandidateError, match="at tick 1, adder .* raised: ValueError: two is") as caught:
            program(Vec3(2, 0, 0))
        assert "two is too many" in caught.value.__notes__[0]
        assert program(Vec3(3, 0, 0)) == Vec3(4, 0, 0)


def test_a_crash_is_an_error_with_the_end_of_its_log(project: Path) -> None:
    class Source(lk.Component):
        vector = lk.OutputPort("vector", Vec3)
        n = 0

        def forward(self) -> Vec3:
            self.n += 1
            return Vec3(self.n, 0, 0)

    source, program = Source(), adder(project, "Crashing", name="port")
    system = lk.System(components=[source, program], config={"rate_hz": 100.0})
    system.connect(source.outputs.vector, program.inputs.vector)
    assert system.run(1) == 1
    process = process_of(program)
    with pytest.raises(lk.CandidateError) as caught:
        system.run(5, paced=False)
    assert str(caught.value) == "at tick 1, port (candidate Crashing) exited with code 7"
    notes = "\n".join(caught.value.__notes__)
    assert "about to go" in notes and "in component 'port', step 2" in notes
    assert not is_there(process) and system.state is lk.LifecycleState.FINALIZED


def test_a_hang_ends_with_its_limit(project: Path) -> None:
    with adder(project, "Hanging") as program:
        program(Vec3(1, 0, 0))
        process = process_of(program)
        with pytest.raises(lk.CandidateError, match=r"gave no answer within 0\.3 s") as caught:
            program(Vec3(2, 0, 0))
        assert any("tick_s" in note for note in caught.value.__notes__)
        assert not is_there(process)
        with pytest.raises(lk.CandidateError, match="has ended"):
            program(Vec3(3, 0, 0))


def test_other_threads_run_while_it_is_waited_for(project: Path) -> None:
    program = adder(project, "Hanging").__enter__()
    done = threading.Event()

    def wait() -> None:
        with pytest.raises(lk.CandidateError):
            program(Vec3(2, 0, 0))
        done.set()

    thread = threading.Thread(target=wait)
    thread.start()
    turns = 0
    while not done.wait(0.01):
        turns += 1
        if turns == 5:
            with pytest.raises(RuntimeError, match="in use: a call of another thread"):
                program.reset()
    thread.join()
    assert turns > 5
    program.destroy()


INTERRUPTED = """
import os, signal, sys, threading, time
import lk

# Who started this may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
program = lk.Program(sys.argv[1], "Stuck")
with program:
    vector = program.inputs.vector.msg_type
    program(vector(1.0, 0.0, 0.0))
    process = program.log_lines()[0].removeprefix("process ")

    def interrupt():
        time.sleep(0.3)
        global pressed
        pressed = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        program(vector(2.0, 0.0, 0.0))
    except KeyboardInterrupt:
        print(time.monotonic() - pressed, process, program.is_alive)
"""


def test_ctrl_c_ends_the_wait_and_the_program(project: Path) -> None:
    run = [sys.executable, "-P", "-c", INTERRUPTED, str(project)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seconds, process, alive = done.stdout.split()
    # 0.2 s where the machine is free; the limit of the tick is 10.
    assert float(seconds) < 2.0 and alive == "False"
    assert not is_there(int(process))


LEFT = """
import sys, threading, time
import lk

program = lk.Program(sys.argv[1], "Stuck").__enter__()
vector = program.inputs.vector.msg_type
program(vector(1.0, 0.0, 0.0))
print(program.log_lines()[0].removeprefix("process "))
"""


def test_a_program_does_not_outlive_python(project: Path) -> None:
    run = [sys.executable, "-P", "-c", LEFT, str(project)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not is_there(int(done.stdout))


class Cart(lk.Component):
    """A mass with friction, at 1 kHz."""

    control = lk.InputPort("control", Control)
    state = lk.OutputPort("state", State)

    def __init__(self) -> None:
        super().__init__()
        self.motion = State()

    def step(self) -> bool:
        force = self.inputs.control.read() or Control()
        old = self.motion
        velocity = old.velocity_m_s + (force.force_n - 1.5 * old.velocity_m_s) / 2.0 * 1e-3
        self.motion = State(old.position_m + velocity * 1e-3, velocity)
        self.outputs.state.write(self.motion)
        return True


class PDController(lk.Component):
    state = lk.InputPort("state", State)
    control = lk.OutputPort("control", Control)

    def forward(self, state: State) -> Control:
        force = 40.0 * (1.0 - state.position_m) - 12.0 * state.velocity_m_s
        return Control(max(-10.0, min(10.0, force)))


def closed_loop(controller: lk.Component) -> lk.Dataset:
    cart = Cart()
    dataset = lk.Dataset.create()
    recorder = lk.DataRecorder(dataset)
    state, control = recorder.add_input("state", State), recorder.add_input("control", Control)
    system = lk.System(components=[cart, controller, recorder], config={"rate_hz": 1000.0})
    system.connect(cart.outputs.state, controller.inputs.state)
    system.connect(controller.outputs.control, cart.inputs.control, delayed=True)
    system.connect(cart.outputs.state, state)
    system.connect(controller.outputs.control, control)
    system.run(400, paced=False)
    system.shutdown()
    return dataset


@pytest.mark.parametrize("implementation", ["reference", "cpp"])
def test_a_loop_with_a_program_in_it_is_the_loop_in_python(implementation: str, tmp_path: Path) -> None:
    if implementation == "cpp" and shutil.which("g++") is None:
        assert "LK_REQUIRE_TOOLS" not in os.environ, "g++ is not installed"
        pytest.skip("needs g++")
    ignored = shutil.ignore_patterns("target", "build")
    folder = shutil.copytree(EXAMPLE, tmp_path / "pd_controller", ignore=ignored)
    program = lk.Program(folder, implementation, types={"state": State, "control": Control})
    result = lk.diffdiff(closed_loop(PDController()), closed_loop(program), tol=1e-12)
    assert result.matches, result.to_str()
    assert not program.is_alive


def test_recorded_inputs_are_replayed_through_a_program_at_their_times(project: Path) -> None:
    inputs = lk.Dataset.create()
    for n in range(5):
        inputs.write("vector", Vec3(n, 0, 0), timestamp=n / 10)
    with adder(project) as program:
        outputs = lk.replay(program, inputs)
        assert [total.x for total in outputs["total"]] == [0, 1, 3, 6, 10]
        with pytest.raises(lk.Error, match="time goes back"):
            program.step(0.3)
