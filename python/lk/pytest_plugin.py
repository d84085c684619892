"""A fixture of pytest that compares with what was recorded before.

::

    def test_the_filter_is_what_it_was(lk_regression):
        lk_regression(replay(Filter(), inputs), tol=1e-9)

The first time, and whenever it may change, ``pytest --lk-update`` records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lk.common.dataset.dataset import Dataset

__all__ = ["Regression", "lk_regression"]

_WRITTEN: pytest.StashKey[list[Path]] = pytest.StashKey()
#: Which test each file is of.
_OWNERS: pytest.StashKey[dict[Path, str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lk")
    group.addoption(
        "--lk-update",
        action="store_true",
        help="record what lk_regression is given, rather than compare it with what is stored",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_WRITTEN] = []
    config.stash[_OWNERS] = {}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for path in config.stash[_WRITTEN]:
        terminalreporter.write_line(f"lk: recorded {path}")


class Regression:
    """Compares datasets with those stored beside a test, under ``lk_regression/``."""

    def __init__(
        self,
        folder: Path,
        test: str,
        update: bool,
        written: list[Path],
        node_id: str = "",
        owners: dict[Path, str] | None = None,
    ) -> None:
        self._folder = folder
        self._node_id = node_id
        self._owners = {} if owners is None else owners
        self._test = re.sub(r"[^\w.-]+", "_", test).strip("_")
        self._update = update
        self._written = written
        self._names: set[str | None] = set()

    def __call__(
        self,
        data: Dataset | Mapping[str, Any],
        name: str | None = None,
        tol: float = 1e-6,
        **options: Any,
    ) -> None:
        """Compares, or records where ``--lk-update`` is given.

        Args:
            data: a dataset; or values by key, a list of them or a single one, whose
                times are 0, 1, 2 seconds and so on.
            name: tells several comparisons in one test apart.
            tol: absolute tolerance of floats; further options as ``diffdiff`` has them.

        Raises:
            ValueError: for a name that this test used before, or a file that is another's.
        """
        from lk.common.dataset import Dataset, diffdiff

        if name in self._names:
            raise ValueError(f"{name!r} was compared before in this test; give each its own name")
        self._names.add(name)
        path = self._folder / f"{self._test}{f'-{name}' if name else ''}.mcap"
        owner = self._owners.setdefault(path, self._node_id)
        if owner != self._node_id:
            # Methods of two classes, and parameters that differ in punctuation.
            raise ValueError(f"{path} is that of {owner}; hint: give one of the two a name=...")
        actual = data if isinstance(data, Dataset) else _dataset(data)
        if self._update:
            self._record(actual, path)
            return
        if not path.exists():
            pytest.fail(f"there is no {path}; hint: pytest --lk-update records it", pytrace=False)
        result = diffdiff(Dataset.load(path), actual, tol=tol, **options)
        if not result.matches:
            hint = "hint: pytest --lk-update takes the new behaviour for right"
            pytest.fail(f"{result.to_str()}\n{path}\n{hint}", pytrace=False)

    def _record(self, actual: Dataset, path: Path) -> None:
        from lk.common.dataset import Dataset, diffdiff

        # What is the same to the last bit is left alone, and so is its date.
        if path.exists() and diffdiff(Dataset.load(path), actual, tol=0.0).verdict == "identical":
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        actual.save(path, overwrite=True)
        self._written.append(path)


def _dataset(values: Mapping[str, Any]) -> Dataset:
    from lk.common.dataset import Dataset

    made = Dataset.create()
    for key, column in values.items():
        for n, value in enumerate(column if isinstance(column, list) else [column]):
            made.write(key, value, float(n))
    return made


@pytest.fixture
def lk_regression(request: pytest.FixtureRequest) -> Regression:
    """Compares with what was recorded before; ``--lk-update`` records."""
    folder = request.path.parent / "lk_regression" / request.path.stem
    update = bool(request.config.getoption("--lk-update"))
    stash = request.config.stash
    node = request.node
    return Regression(folder, node.name, update, stash[_WRITTEN], node.nodeid, stash[_OWNERS])
