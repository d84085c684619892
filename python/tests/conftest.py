"""What tests need besides the package: the command `lk`."""

import os
import shutil
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def lk_command() -> str:
    """The command `lk`: installed with the package, else of this tree's build, else the
    one on the path."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    places = [Path(sys.executable).parent, target / "debug", target / "release"]
    found = shutil.which("lk", path=os.pathsep.join(map(str, places))) or shutil.which("lk")
    missing = [name for name, there in (("lk", found), ("g++", shutil.which("g++"))) if not there]
    if missing:
        reason = f"needs {' and '.join(missing)}"
        if os.environ.get("LK_REQUIRE_TOOLS"):
            pytest.fail(reason)
        pytest.skip(reason)
    assert found is not None
    return found
