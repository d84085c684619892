"""Laws: what is written is read, through each backend."""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lk
from strategies import INT64, PLAIN, classes, same

MANY = settings(max_examples=50, deadline=None)


@pytest.fixture(scope="module")
def folder() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def through(backend: str, folder: Path, values: list[Any], times: list[int]) -> lk.Dataset:
    """The values in memory, or from a file that was written and is read."""
    path = None if backend == "memory" else folder / ("a.mcap" if backend == "mcap" else "a.pkl")
    options = {} if backend == "memory" else {"overwrite": True}
    dataset = lk.Dataset.create(backend, path, **options)
    for value, ns in zip(values, times):
        dataset.write("key", value, timestamp_ns=ns)
    if path is None:
        return dataset
    dataset.close()
    return lk.Dataset.load(path)


@pytest.mark.parametrize("backend", ["memory", "mcap", "pickle"])
@MANY
@given(data=st.data())
def test_a_dataclass_comes_back_through_every_backend(backend: str, folder: Path, data: st.DataObject) -> None:
    _, strategy = data.draw(classes())
    values = data.draw(st.lists(strategy, min_size=1, max_size=3))
    dataset = through(backend, folder, values, list(range(len(values))))
    assert same(dataset.read("key"), values)
    assert all(same(dataset.read("key", n), value) for n, value in enumerate(values))
    result = lk.diffdiff(dataset, through("memory", folder, values, list(range(len(values)))))
    # Where nothing is there but None and empty lists, there is nothing to compare.
    assert result.verdict in ("identical", "incomparable"), result.to_str()
    assert result.values_match


@pytest.mark.parametrize("backend", ["memory", "mcap", "pickle"])
@MANY
@given(value=PLAIN)
def test_plain_data_comes_back_through_every_backend(backend: str, folder: Path, value: Any) -> None:
    assert same(through(backend, folder, [value], [0]).read("key", 0), value)


@MANY
@given(value=PLAIN)
def test_pythons_pickle_reads_what_lk_pickles(folder: Path, value: Any) -> None:
    through("pickle", folder, [value], [1_500_000_000]).close()
    with (folder / "a.pkl").open("rb") as file:
        data = pickle.load(file)
    assert same(data, {"key": {"data": [value], "timestamps": [1.5]}})


@MANY
@given(value=PLAIN, protocol=st.integers(2, 5))
def test_lk_reads_what_pythons_pickle_writes(folder: Path, value: Any, protocol: int) -> None:
    path = folder / "python.pkl"
    path.write_bytes(pickle.dumps({"key": {"data": [value], "timestamps": [1.5]}}, protocol))
    dataset = lk.Dataset.load(path)
    read = dataset.read("key", 0)
    assert same(as_dicts(read), value)
    assert dataset.get_timestamps() == [1.5]


def as_dicts(value: Any) -> Any:
    """A dict that another wrote is a record: no hint says that it was one."""
    if isinstance(value, lk.Record):
        return {name: as_dicts(inner) for name, inner in vars(value).items()}
    return [as_dicts(item) for item in value] if isinstance(value, list) else value


@MANY
@given(times=st.lists(INT64, min_size=1, max_size=5))
def test_whole_nanoseconds_are_kept(folder: Path, times: list[int]) -> None:
    for backend in ("memory", "mcap"):
        # A file's times begin at 0, and it keeps them in order.
        wanted = times if backend == "memory" else sorted(abs(ns) >> 1 for ns in times)
        dataset = through(backend, folder, [0] * len(times), wanted)
        assert dataset.timestamps_ns("key").tolist() == wanted


@MANY
@given(seconds=st.floats(-9e9, 9e9))
def test_writing_again_the_time_that_was_read_changes_nothing(folder: Path, seconds: float) -> None:
    dataset = lk.Dataset.create()
    dataset.write("key", 0, timestamp=seconds)
    (read,) = dataset.get_timestamps("key")
    dataset.write("again", 0, timestamp=read)
    assert dataset.get_timestamps("again") == [read]
    assert abs(read - seconds) <= 0.5e-9 + abs(seconds) * 2**-53


def test_a_field_may_have_a_name_that_is_a_word_of_python(folder: Path) -> None:
    path = folder / "python.pkl"
    path.write_bytes(pickle.dumps({"key": {"data": [{"else": 1, "x": 2.0}], "timestamps": [1.5]}}))
    read = lk.Dataset.load(path).read("key", 0)
    assert (getattr(read, "else"), read.x) == (1, 2.0)
    assert as_dicts(read) == {"else": 1, "x": 2.0}
    assert repr(read).endswith("(else=1, x=2.0)") and read == copy.deepcopy(read)
    assert type(read)(1, x=2.0) == read
    with pytest.raises(TypeError, match="takes else, x"):
        type(read)(1)
    # It can be written again, and comes back.
    with lk.Dataset.create("mcap", folder / "again.mcap") as dataset:
        dataset.write("key", read, timestamp=1.5)
    again = lk.Dataset.load(folder / "again.mcap").read("key", 0)
    assert as_dicts(again) == {"else": 1, "x": 2.0}
    assert lk.diffdiff(lk.Dataset.load(path), lk.Dataset.load(folder / "again.mcap")).matches
