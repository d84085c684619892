"""The examples in Python run from their first cell to their last."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "python"


def run(name: str, lk_command: str, folder: Path) -> str:
    path = f"{Path(lk_command).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=folder,
        env={**os.environ, "PATH": path, "MPLBACKEND": "agg", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_ai_compile_example_runs_ports_for_real(lk_command: str, tmp_path: Path) -> None:
    out = run("ai_compile.py", lk_command, tmp_path)
    assert "# Port vector_normalizer to C++" in out
    assert "✓ vector_normalizer cpp: equal, 600 values" in out
    assert "✗ vector_normalizer cpp: different, 32 of 600 values" in out
    assert "the prompt has 1 reports of former attempts" in out
    assert list(tmp_path.iterdir()) == []


def test_the_nn_compile_example_compares_two_stand_ins(lk_command: str, tmp_path: Path) -> None:
    out = run("nn_compile.py", lk_command, tmp_path)
    assert "8,000 samples, 0 dropped" in out
    assert "lk trains no network yet" in out
    assert "original and saturated: force_n agrees in 100.0%" in out


@pytest.mark.parametrize("name", ["ai_compile.py", "nn_compile.py"])
def test_an_example_is_a_notebook_too(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert text.startswith("# %% [markdown]\n# # ") and text.count("\n# %%") >= 6
    assert (EXAMPLES / "README.md").read_text(encoding="utf-8").count(name) >= 2
