"""`python -m lk.harness` under lk-run/1, run by `lk verify`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import lk

LK = Path(sys.executable).parent / "lk"

COMPONENTS = '''
from dataclasses import dataclass
from lk.common.component import Component
from lk.common.port import InputPort, OutputPort

print("this goes to the log")

@dataclass
class Vec3:
    x: float
    y: float
    z: float

class Doubler:
    inputs = {"vector": Vec3}
    outputs = {"twice": Vec3}

    def step(self, vector):
        return Vec3(2 * vector.x, 2 * vector.y, 2 * vector.z)

class Wrong(Doubler):
    def step(self, vector):
        return Vec3(2 * vector.x, 2 * vector.y, 3 * vector.z)

class Failing(Doubler):
    def step(self, vector):
        raise ValueError("no doubling today")

class Ported(Component):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.inputs.add_port("vector", InputPort("vector", Vec3, owner=self))
        self.outputs.add_port("twice", OutputPort("twice", Vec3, owner=self))

    def forward(self, vector):
        return Vec3(2 * vector.x, 2 * vector.y, 2 * vector.z)

@dataclass
class Vec2:
    x: float
    y: float

class OtherType(Doubler):
    inputs = {"vector": Vec2}
'''


@dataclass
class Vec3:
    x: float
    y: float
    z: float


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "components.py").write_text(COMPONENTS)
    with lk.Dataset.create("mcap", tmp_path / "inputs.mcap") as dataset:
        for n in range(20):
            dataset.write("vector", Vec3(n, n / 2, -n), timestamp=n / 10)
    programs = ""
    for name in ("Wrong", "Failing", "Ported", "OtherType"):
        run = [sys.executable, "-m", "lk.harness", f"components:{name}"]
        programs += f"\n[candidates.{name}]\nrun = {run}\n"
    reference = [sys.executable, "-m", "lk.harness", "components:Doubler"]
    (tmp_path / "lk.toml").write_text(
        '[component]\nname = "doubler"\n[inputs]\nvector = "lk/Vec3"\n[outputs]\ntwice = "lk/Vec3"\n'
        f'[data]\ninputs = "inputs.mcap"\n[reference]\nrun = {reference}\n{programs}'
    )
    return tmp_path


def verify(project: Path, candidate: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LK, "verify", "--candidate", candidate], cwd=project, capture_output=True, text=True)


def test_a_component_with_ports_is_equal_to_a_class_that_names_them(project: Path) -> None:
    done = verify(project, "Ported")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_port_is_different_and_a_failing_one_failed(project: Path) -> None:
    wrong = verify(project, "Wrong")
    assert wrong.returncode == 1 and "twice.z" in wrong.stdout, wrong.stdout + wrong.stderr
    failing = verify(project, "Failing")
    assert failing.returncode in (1, 3) and "no doubling today" in failing.stdout + failing.stderr


def test_another_type_than_that_of_the_project_is_named(project: Path) -> None:
    done = verify(project, "OtherType")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "port vector is of another type" in done.stdout + done.stderr


def test_without_a_component_it_says_how_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-m", "lk.harness"], capture_output=True, text=True)
    assert done.returncode == 2 and "module:Name" in done.stderr
