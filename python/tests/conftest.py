"""What tests need besides the package: the command `lk`."""

import os
import shutil
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def lk_command() -> str:
    """The command `lk`: of this tree's build, else the one on the path."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [target / profile / "lk" for profile in ("debug", "release")]
    found = next((str(path) for path in built if path.exists()), None) or shutil.which("lk")
    missing = [name for name, there in (("lk", found), ("g++", shutil.which("g++"))) if not there]
    if missing:
        reason = f"needs {' and '.join(missing)}"
        if os.environ.get("LK_REQUIRE_TOOLS"):
            pytest.fail(reason)
        pytest.skip(reason)
    assert found is not None
    return found
