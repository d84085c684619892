"""Backends, and what a dataset is over each of them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lk


class Rows(lk.DatasetBackend):
    """A user's own storage: a list of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, Any, float]] = []

    def write(self, key: str, value: Any, timestamp: float | None = None) -> None:
        self.rows.append((key, value, 0.0 if timestamp is None else timestamp))

    def read(self, key: str, index: int | None = None) -> Any:
        values = [value for k, value, _ in self.rows if k == key]
        return values if index is None else values[index]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(key for key, _, _ in self.rows))

    def __len__(self) -> int:
        return max((len(self.read(key)) for key in self.keys()), default=0)

    def get_timestamps(self, key: str | None = None) -> list[float]:
        key = key or self.keys()[0]
        return [time for k, _, time in self.rows if k == key]

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def flush(self) -> None:
        pass


def test_a_users_own_backend_is_a_dataset_like_any_other(tmp_path: Path) -> None:
    dataset, memory = lk.Dataset(Rows()), lk.Dataset.create()
    for target in (dataset, memory):
        for n in range(5):
            target.write("n", n / 2, timestamp=n / 10)
        target.write("text", "a", timestamp=0.0)
    assert dataset.keys() == ["n", "text"] and len(dataset) == 5
    assert dataset["n"][0.1:0.3] == [0.5, 1.0]
    assert dataset["n"].column().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert lk.diffdiff(dataset, memory).verdict == "identical"
    dataset.save(tmp_path / "a.mcap")
    assert lk.Dataset.load(tmp_path / "a.mcap").to_dict() == memory.to_dict()
    with pytest.raises(lk.Error, match="Rows can't be cleared"):
        dataset.clear()


def test_what_was_written_can_be_read_before_the_file_is_closed(tmp_path: Path) -> None:
    for kind, name in (("mcap", "a.mcap"), ("pickle", "a.pkl")):
        with lk.Dataset.create(kind, tmp_path / name) as dataset:
            dataset.write("n", 1, timestamp=0.0)
            assert dataset.read("n") == [1]
            dataset.write("n", 2, timestamp=1.0)
            assert dataset["n"] == [1, 2]
        assert dataset.read("n", -1) == 2
        with pytest.raises(lk.Error, match="it is closed"):
            dataset.write("n", 3)


def test_a_file_that_exists_is_replaced_only_by_a_pickle_or_on_request(tmp_path: Path) -> None:
    for _ in range(2):
        with lk.Dataset.create("pickle", tmp_path / "a.pkl") as dataset:
            dataset.write("n", 1)
    lk.Dataset.create("mcap", tmp_path / "a.mcap").close()
    with pytest.raises(FileExistsError) as caught:
        lk.Dataset.create("mcap", tmp_path / "a.mcap")
    assert "hint" in caught.value.__notes__[0]
    lk.Dataset.create("mcap", tmp_path / "a.mcap", overwrite=True).close()


def test_a_missing_file_says_what_there_is_instead(tmp_path: Path) -> None:
    lk.Dataset.create("mcap", tmp_path / "there.mcap").close()
    with pytest.raises(FileNotFoundError) as caught:
        lk.Dataset.load(tmp_path / "not_there.mcap")
    assert "there.mcap" in caught.value.__notes__[0]


def test_a_file_opened_to_read_is_not_written_to(tmp_path: Path) -> None:
    lk.Dataset.create("mcap", tmp_path / "a.mcap").close()
    dataset = lk.Dataset.load(tmp_path / "a.mcap")
    for change in (lambda: dataset.write("n", 1), dataset.clear):
        with pytest.raises(lk.Error, match="it was opened to read"):
            change()


def test_a_file_that_was_cut_off_warns_and_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    dataset = lk.Dataset.create("mcap", path)
    sizes = []
    for n in range(3):
        dataset.write("n", n, timestamp=float(n))
        dataset.flush()
        sizes.append(path.stat().st_size)
    path.write_bytes(path.read_bytes()[: (sizes[1] + sizes[2]) // 2])
    with pytest.warns(UserWarning, match="damaged"):
        loaded = lk.Dataset.load(path)
    assert loaded.read("n") == [0, 1]


def test_clearing_begins_anew(tmp_path: Path) -> None:
    for dataset in (lk.Dataset.create(), lk.Dataset.create("mcap", tmp_path / "a.mcap")):
        dataset.write("n", 1)
        dataset.clear()
        assert dataset.keys() == [] and len(dataset) == 0 and dataset.get_timestamps() == []
        dataset.write("n", "another type")
        assert dataset.read("n") == ["another type"]


def test_a_dict_makes_the_dataset_again(tmp_path: Path) -> None:
    dataset = lk.Dataset.create()
    for n in range(3):
        dataset.write("n", n, timestamp=n / 3)
    dataset.write("m", [1.0], timestamp=1e9)
    again = lk.Dataset.from_dict(dataset.to_dict(), backend="pickle", path=tmp_path / "a.pkl")
    assert again.to_dict() == dataset.to_dict()
    memory = dataset.backend
    assert isinstance(memory, lk.MemoryBackend) and memory.get_data_dict() == dataset.to_dict()
    with pytest.raises(lk.Error, match="key n: 1 values have 0 timestamps"):
        lk.Dataset.from_dict({"n": {"data": [1], "timestamps": []}})


def test_a_value_without_a_time_has_the_present_one() -> None:
    import time

    dataset = lk.Dataset.create()
    before = time.time_ns()
    dataset.write("n", 1)
    assert before <= dataset.timestamps_ns("n")[0] <= time.time_ns()


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e10])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="is no time"):
        lk.Dataset.create().write("n", 1, timestamp=seconds)


@dataclass
class Reading:
    celsius: float
    sensor: str
    at: list[float]


def test_tables_have_a_row_for_each_value_and_a_column_for_each_field() -> None:
    dataset = lk.Dataset.create()
    for n in range(3):
        dataset.write("oven", Reading(20.0 + n, "a", [1.0, 2.0]), timestamp=n / 2)
        dataset.write("n", n, timestamp=n / 2)
    frame = dataset.to_polars("oven")
    assert frame.columns == ["timestamp_ns", "celsius", "sensor", "at"]
    assert frame["celsius"].to_list() == [20.0, 21.0, 22.0]
    assert frame["timestamp_ns"].to_list() == [0, 500_000_000, 1_000_000_000]
    assert list(dataset.to_pandas()["n"]["value"]) == [0, 1, 2]
    html = dataset._repr_html_()
    assert "oven" in html and "Reading" in html


def test_what_another_program_recorded_is_read_as_records(tmp_path: Path) -> None:
    from mcap_ros2.writer import Writer

    path = tmp_path / "a.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        schema = writer.register_msgdef("demo/msg/Scan", "string frame\nfloat32[] ranges\ndemo/Point origin\n"
                                        "================\nMSG: demo/Point\nfloat64 x\nfloat64 y\n")
        for n in range(3):
            message = {"frame": "laser", "ranges": [1.0, n], "origin": {"x": n / 2, "y": 0.0}}
            writer.write_message("/scan", schema, message, log_time=n, publish_time=n)
        writer.finish()
    dataset = lk.Dataset.load(path)
    scan = dataset.read("/scan", 1)
    assert type(scan).__name__ == "Scan" and scan.frame == "laser" and scan.origin.x == 0.5
    assert scan.ranges.dtype == np.float32 and scan.ranges.tolist() == [1.0, 1.0]
    assert dataset["/scan"]["origin.x"].tolist() == [0.0, 0.5, 1.0]
    assert scan == dataset.read("/scan", 1) and scan != dataset.read("/scan", 2)


def test_other_decoders_read_what_lk_writes(tmp_path: Path) -> None:
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    path = tmp_path / "a.mcap"
    with lk.Dataset.create("mcap", path) as dataset:
        dataset.write("oven", Reading(20.5, "a", [1.0, 2.0]), timestamp=1.5)
    with path.open("rb") as file:
        ((schema, channel, message, decoded),) = make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages()
    assert schema.name == "lk/msg/Reading" and channel.topic == "oven" and message.log_time == 1_500_000_000
    assert (decoded.celsius, decoded.sensor, list(decoded.at)) == (20.5, "a", [1.0, 2.0])


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (exec, ("raise SystemExit",))

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"n": {"data": [Evil()], "timestamps": [0.0]}}))
    with pytest.raises(lk.Error, match="pickle refused"):
        lk.Dataset.load(path)


def test_tables_have_what_only_later_values_have() -> None:
    dataset = lk.Dataset.create()
    dataset.write("state", {"x": 1.0, "at.rest": True, "pose": None}, timestamp=0.0)
    dataset.write("state", {"x": 2.0, "at.rest": False, "pose": {"yaw": 3.0}, "note": "b"}, timestamp=1.0)
    rows = dataset.to_polars("state")
    assert rows.columns == ["timestamp_ns", "x", "at.rest", "pose.yaw", "note"]
    assert rows["at.rest"].to_list() == [True, False]
    assert rows["pose.yaw"].to_list() == [None, 3.0] and rows["note"].to_list() == [None, "b"]


def test_a_field_named_as_the_times_leaves_them_in_their_place() -> None:
    dataset = lk.Dataset.create()
    dataset.write("stamp", {"timestamp_ns": 7}, timestamp=1.0)
    rows = dataset.to_polars("stamp")
    assert rows["timestamp_ns"].to_list() == [1_000_000_000]
    assert rows["value.timestamp_ns"].to_list() == [7]


def test_two_times_for_one_value_are_refused_by_every_backend() -> None:
    for dataset in (lk.Dataset.create(), lk.Dataset(Rows())):
        with pytest.raises(TypeError, match="not both"):
            dataset.write("x", 1.0, 2.0, timestamp_ns=3)


def test_a_file_that_is_opened_again_begins_anew(tmp_path: Path) -> None:
    backend = lk.PickleBackend(tmp_path / "a.pkl")
    for value in (1.0, "text"):
        with backend:
            backend.write("x", value, 0.0)
    assert lk.Dataset.load(tmp_path / "a.pkl").read("x") == ["text"]
