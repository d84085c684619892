"""What importing the package takes, and what is in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lk
import lk.common
import lk.common.dataset


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_imports_nothing_heavy() -> None:
    loaded = run("import lk, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))").split()
    for heavy in ("numpy", "matplotlib", "pandas", "polars", "torch", "pytest", "hypothesis"):
        assert heavy not in loaded


def test_only_numpy_is_needed() -> None:
    code = """
import sys
for name in ("matplotlib", "pandas", "polars", "torch"):
    sys.modules[name] = None
import lk
ds = lk.Dataset.create()
ds.write("x", 1.0)
assert ds["x"].column().tolist() == [1.0]
assert lk.diffdiff(ds, ds).matches
print("fine")
"""
    assert run(code) == "fine\n"


@pytest.mark.parametrize("module", [lk, lk.common, lk.common.dataset], ids=lambda module: module.__name__)
def test_what_is_imported_lazily_is_there(module: object) -> None:
    for name in module._LAZY:  # type: ignore[attr-defined]
        assert getattr(module, name) is not None, name
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        module.no_such_thing  # type: ignore[attr-defined]
