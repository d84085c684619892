"""The command that the wheel installs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import lk

LK = Path(sys.executable).parent / "lk"


def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LK, *args], capture_output=True, text=True)


def recorded(path: Path, value: float) -> Path:
    with lk.Dataset.create("mcap", path) as dataset:
        dataset.write("speed", value, timestamp=0.0)
    return path


def test_exit_codes_are_those_of_the_command(tmp_path: Path) -> None:
    a, b = recorded(tmp_path / "a.mcap", 1.0), recorded(tmp_path / "b.mcap", 2.0)
    assert run("diff", a, a).returncode == 0
    different = run("diff", a, b)
    assert different.returncode == 1 and "speed" in different.stdout
    assert run("diff", a).returncode == 2
    missing = run("info", tmp_path / "none.mcap")
    assert missing.returncode == 2 and "hint:" in missing.stderr
    assert run("--help").returncode == 0


def test_ctrl_c_ends_the_command_as_a_shell_expects(tmp_path: Path) -> None:
    # It waits for lines that never come, once the file is there.
    out = tmp_path / "out.mcap"
    process = subprocess.Popen([LK, "record", "-o", out], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        deadline = time.monotonic() + 20
        while not out.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        # It ends in order, and says that nothing was recorded.
        assert process.wait(timeout=20) == 2
        assert process.stderr is not None and b"not one message came" in process.stderr.read()
