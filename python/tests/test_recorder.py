"""The recorder: nothing is lost, and what is left out is counted."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lk.common.component import Component
from lk.common.dataset import Dataset
from lk.common.dataset.recorder import DataRecorder
from lk.common.port import InputPort, OutputPort
from lk.common.system import System
from lk.msgs.msg import Msg


class Vec2(Msg):
    x: float = 0.0
    y: float = 0.0


def recorder(**settings: Any) -> DataRecorder:
    return DataRecorder(Dataset.create(), config=DataRecorder.Config(**settings))


def balances(stats: dict[str, Any]) -> bool:
    parts = ("total_writes", "skipped", "dropped", "waiting")
    return bool(stats["total_samples"] == sum(stats[part] for part in parts))


def test_a_value_is_recorded_under_its_key_and_time() -> None:
    rec = recorder()
    assert rec.record("pose", Vec2(1.0), timestamp=2.5)
    assert rec.dataset.read("pose") == [Vec2(1.0)]
    assert rec.dataset.get_timestamps("pose") == [2.5]


def test_what_one_call_records_has_one_time() -> None:
    rec = recorder()
    assert rec(a=1.0, b=Vec2(), c="text") == {"a": True, "b": True, "c": True}
    times = {rec.dataset.get_timestamps(key)[0] for key in "abc"}
    assert len(times) == 1


def test_inputs_are_recorded_under_their_names() -> None:
    rec = recorder()
    pose = rec.add_input("pose", Vec2)
    rec.add_input("silent", Vec2)
    pose.value = Vec2(1.0)
    assert rec.record_ports(timestamp=0.5) == {"pose": True}
    assert rec.dataset.keys() == ["pose"]
    with pytest.raises(ValueError, match="there is a port 'pose' already"):
        rec.add_input("pose", Vec2)
    with pytest.raises(TypeError, match="DataRecorder.pose"):
        pose.value = 1.0  # type: ignore[assignment]


class Exclusive(Dataset):
    """A dataset that notices when two threads write to it at once."""

    busy = False
    overlaps = 0

    def write(self, key: str, value: Any, timestamp: Any = None, **more: Any) -> None:
        self.overlaps += self.busy
        self.busy = True
        super().write(key, value, timestamp, **more)
        for _ in range(100):
            # At each turn another thread may come to run.
            pass
        self.busy = False


def test_four_threads_lose_nothing() -> None:
    # Threads change places all the time, as they do by chance in long runs.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    dataset = Exclusive(Dataset.create().backend)
    config = DataRecorder.Config(auto_flush=True, flush_every_n=50)
    rec = DataRecorder(dataset, config=config)
    begin = threading.Barrier(4)

    def feed(worker: int) -> None:
        begin.wait()
        for n in range(500):
            rec.record("shared", worker * 1000 + n)
            rec.record(f"own{worker}", n)

    threads = [threading.Thread(target=feed, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    stats = rec.get_stats()
    assert stats["total_samples"] == stats["total_writes"] == 4000 and balances(stats)
    assert dataset.overlaps == 0
    everything = sorted(w * 1000 + n for w in range(4) for n in range(500))
    assert sorted(rec.dataset.read("shared")) == everything
    assert all(rec.dataset.read(f"own{n}") == list(range(500)) for n in range(4))


def test_sampling_and_limits_are_counted_by_key() -> None:
    rec = recorder(sample_every_n=3, max_samples=2)
    taken = [rec.record("a", n, timestamp=n) for n in range(10)]
    rec.record("b", 99, timestamp=0.0)
    assert taken == [True, False, False, True, *[False] * 6]
    assert rec.dataset.read("a") == [0, 3] and rec.dataset.read("b") == [99]
    stats = rec.get_stats()
    assert stats["per_key"]["a"]["skipped"] == 8 and stats["per_key"]["b"]["skipped"] == 0
    assert balances(stats) and stats["keys"] == ["a", "b"] and stats["dataset_length"] == 2


def test_a_ring_keeps_the_last_of_each_key_until_it_is_triggered() -> None:
    rec = recorder(use_ring_buffer=True, ring_buffer_size=3)
    for n in range(10):
        rec.record("a", n, timestamp=float(n))
    rec.record("b", 5, timestamp=7.5)
    assert len(rec.dataset) == 0 and balances(rec.get_stats())
    assert rec.trigger() == 4
    assert rec.dataset.read("a") == [7, 8, 9] and rec.dataset.read("b") == [5]
    stats = rec.get_stats()
    assert balances(stats) and (stats["dropped"], stats["waiting"]) == (7, 0)


def test_rings_are_written_in_the_order_of_time() -> None:
    written: list[tuple[str, float]] = []

    class Ordered(Dataset):
        def write(self, key: str, value: Any, timestamp: Any = None, **more: Any) -> None:
            written.append((key, timestamp))

    rec = DataRecorder(Ordered(Dataset.create().backend), config={"use_ring_buffer": True})
    for n in range(3):
        rec.record_all({"a": n, "b": n}, timestamp=float(n))
    rec.record("c", 0, timestamp=0.5)
    rec.flush()
    assert written == [
        ("a", 0.0), ("b", 0.0), ("c", 0.5), ("a", 1.0), ("b", 1.0), ("a", 2.0), ("b", 2.0)
    ]  # fmt: skip


def test_a_ring_holds_copies() -> None:
    rec = recorder(use_ring_buffer=True)
    value = Vec2(1.0)
    rec.record("a", value, timestamp=0.0)
    value.x = 9.0
    rec.close()
    assert rec.dataset.read("a", 0) == Vec2(1.0)


def test_after_a_trigger_the_next_seconds_are_recorded_too() -> None:
    rec = recorder(use_ring_buffer=True, ring_buffer_size=2)
    for n in range(5):
        rec.record("a", n, timestamp=float(n))
    rec.trigger(after=2.0)
    for n in range(5, 10):
        rec.record("a", n, timestamp=float(n))
    assert rec.dataset.read("a") == [3, 4, 5, 6]
    rec.close()
    assert rec.dataset.read("a") == [3, 4, 5, 6, 8, 9] and balances(rec.get_stats())


def test_the_rate_is_that_of_the_samples_own_times() -> None:
    rec = recorder()
    for n in range(11):
        rec.record("a", n, timestamp=n * 0.01)
        rec.record("b", n, timestamp=n * 0.1)
    stats = rec.get_stats()
    assert stats["per_key"]["a"]["rate_hz"] == pytest.approx(100.0)
    assert stats["recording_rate"] == pytest.approx(110.0)
    assert recorder().get_stats()["recording_rate"] == 0.0


def test_a_value_without_a_time_is_refused_where_none_is_made() -> None:
    rec = recorder(auto_timestamp=False)
    with pytest.raises(ValueError, match="a: no timestamp was given; hint"):
        rec.record("a", 1)
    assert rec.record("a", 1, timestamp=0.0)


class Full(Dataset):
    """A dataset whose disk is full after two values."""

    def write(self, key: str, value: Any, timestamp: Any = None, **more: Any) -> None:
        if len(self) == 2:
            raise OSError("no space left on device")
        super().write(key, value, timestamp, **more)


def test_a_write_that_fails_is_raised_and_counted() -> None:
    rec = DataRecorder(Full(Dataset.create().backend))
    rec.record("a", 0, timestamp=0.0)
    rec.record("a", 1, timestamp=1.0)
    with pytest.raises(OSError, match="no space left"):
        rec.record("a", 2, timestamp=2.0)
    stats = rec.get_stats()
    assert stats["dropped"] == 1 and balances(stats)


class Counted(Dataset):
    flushes = 0

    def flush(self) -> None:
        self.flushes += 1
        super().flush()


@pytest.mark.parametrize(
    ("settings", "flushes"),
    [
        ({}, 0),
        ({"auto_flush": True, "flush_every_n": 4, "flush_every": 1e9}, 2),
        ({"auto_flush": True, "flush_every_n": 1000, "flush_every": 0.0}, 10),
    ],
)
def test_the_dataset_is_flushed_by_number_and_by_time(
    settings: dict[str, Any], flushes: int
) -> None:
    dataset = Counted(Dataset.create().backend)
    rec = DataRecorder(dataset, config=DataRecorder.Config(**settings))
    for n in range(10):
        rec.record("a", n, timestamp=float(n))
    assert dataset.flushes == flushes


def test_nothing_is_taken_after_close(tmp_path: Path) -> None:
    path = tmp_path / "run.pkl"
    with DataRecorder(Dataset.create("pickle", path)) as rec:
        rec.record("a", 1.5, timestamp=0.0)
    with pytest.raises(RuntimeError, match="recorder 'DataRecorder' is closed"):
        rec.record("a", 2.5, timestamp=1.0)
    assert Dataset.load(path).read("a") == [1.5]


@pytest.mark.parametrize(
    "settings", [{"sample_every_n": 0}, {"ring_buffer_size": 0}, {"flush_every_n": 0}]
)
def test_a_setting_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be at least 1"):
        recorder(**settings)


def test_in_a_system_only_what_is_new_is_recorded() -> None:
    class Sometimes(Component):
        n = OutputPort("n", int)
        count = 0

        def forward(self) -> None:
            self.count += 1
            if self.count % 2:
                self.outputs.n.write(self.count)

    class Add(Component):
        n = InputPort("n", int)
        more = OutputPort("more", int)

        def forward(self, n: int) -> int:
            return n + 1

    source, add, rec = Sometimes("source"), Add("add"), recorder()
    system = System(components=[source, add, rec], config={"rate_hz": 10.0})
    system.connect(source.n, add.n)
    system.connect(source.n, rec.add_input("n", int))
    system.connect(add.more, rec.add_input("more", int))
    system.run(4, paced=False)
    assert rec.dataset.read("n") == [1, 3]
    assert rec.dataset.get_timestamps("n") == pytest.approx([0.0, 0.2])
    assert rec.dataset.read("more") == [2, 2, 4, 4]


def test_the_settings_may_come_as_a_dictionary_or_any_object() -> None:
    made: Callable[[Any], DataRecorder] = lambda c: DataRecorder(Dataset.create(), config=c)
    assert made({"sample_every_n": 5}).config.sample_every_n == 5
    assert made(None).config == DataRecorder.Config()


def test_a_ring_says_the_rate_of_what_came() -> None:
    rec = DataRecorder(Dataset.create(), config={"use_ring_buffer": True, "ring_buffer_size": 2})
    for n in range(11):
        rec.record("x", n, timestamp=0.1 * n)
    assert rec.get_stats()["recording_rate"] == pytest.approx(10.0)


def test_fewer_samples_than_none_are_refused() -> None:
    with pytest.raises(ValueError, match="max_samples"):
        DataRecorder(Dataset.create(), config={"max_samples": -1})
