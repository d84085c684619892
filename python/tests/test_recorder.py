"""The recorder: nothing is lost, and what is left out is counted."""

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lk
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


Make = Callable[..., DataRecorder]


@pytest.fixture(params=["memory", "mcap", "pickle"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes recorders of all datasets: what is written at the call, and behind a queue."""
    made = 0

    def recorder(**settings: Any) -> DataRecorder:
        nonlocal made
        made += 1
        extensions = {"mcap": "mcap", "pickle": "pkl"}
        extension = extensions.get(request.param)
        path = tmp_path / f"{made}.{extension}" if extension else None
        dataset = Dataset.create(request.param, path)
        return DataRecorder(dataset, config=DataRecorder.Config(**settings))

    return recorder


def balances(stats: dict[str, Any]) -> bool:
    parts = ("total_writes", "skipped", "dropped", "waiting")
    return bool(stats["total_samples"] == sum(stats[part] for part in parts))


def test_a_value_is_recorded_under_its_key_and_time(make: Make) -> None:
    rec = make()
    assert rec.record("pose", Vec2(1.0), timestamp=2.5)
    assert rec.dataset.read("pose") == [Vec2(1.0)]
    assert rec.dataset.get_timestamps("pose") == [2.5]


def test_what_one_call_records_has_one_time(make: Make) -> None:
    rec = make()
    assert rec(a=1.0, b=Vec2(), c="text") == {"a": True, "b": True, "c": True}
    times = {rec.dataset.get_timestamps(key)[0] for key in "abc"}
    assert len(times) == 1


def test_inputs_are_recorded_under_their_names(make: Make) -> None:
    rec = make()
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


def test_sampling_and_limits_are_counted_by_key(make: Make) -> None:
    rec = make(sample_every_n=3, max_samples=2)
    taken = [rec.record("a", n, timestamp=n) for n in range(10)]
    rec.record("b", 99, timestamp=0.0)
    assert taken == [True, False, False, True, *[False] * 6]
    assert rec.dataset.read("a") == [0, 3] and rec.dataset.read("b") == [99]
    rec.flush()
    stats = rec.get_stats()
    assert stats["per_key"]["a"]["skipped"] == 8 and stats["per_key"]["b"]["skipped"] == 0
    assert balances(stats) and stats["keys"] == ["a", "b"] and stats["dataset_length"] == 2


def test_a_ring_keeps_the_last_of_each_key_until_it_is_triggered(make: Make) -> None:
    rec = make(use_ring_buffer=True, ring_buffer_size=3)
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


def test_a_ring_holds_copies(make: Make) -> None:
    rec = make(use_ring_buffer=True)
    value = Vec2(1.0)
    rec.record("a", value, timestamp=0.0)
    value.x = 9.0
    rec.close()
    assert rec.dataset.read("a", 0) == Vec2(1.0)


def test_after_a_trigger_the_next_seconds_are_recorded_too(make: Make) -> None:
    rec = make(use_ring_buffer=True, ring_buffer_size=2)
    for n in range(5):
        rec.record("a", n, timestamp=float(n))
    rec.trigger(after=2.0)
    for n in range(5, 10):
        rec.record("a", n, timestamp=float(n))
    assert rec.dataset.read("a") == [3, 4, 5, 6]
    rec.close()
    assert rec.dataset.read("a") == [3, 4, 5, 6, 8, 9] and balances(rec.get_stats())


def test_the_rate_is_that_of_the_samples_own_times(make: Make) -> None:
    rec = make()
    for n in range(11):
        rec.record("a", n, timestamp=n * 0.01)
        rec.record("b", n, timestamp=n * 0.1)
    stats = rec.get_stats()
    assert stats["per_key"]["a"]["rate_hz"] == pytest.approx(100.0)
    assert stats["recording_rate"] == pytest.approx(110.0)
    assert make().get_stats()["recording_rate"] == 0.0


def test_a_value_without_a_time_is_refused_where_none_is_made(make: Make) -> None:
    rec = make(auto_timestamp=False)
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


def test_in_a_system_only_what_is_new_is_recorded(make: Make) -> None:
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

    source, add, rec = Sometimes("source"), Add("add"), make()
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


# Behind a queue.


def in_file(dataset: Dataset, **settings: Any) -> DataRecorder:
    return DataRecorder(dataset, config=DataRecorder.Config(**settings))


def counts_in(path: Path) -> dict[str, dict[str, Any]]:
    """What a file says became of the values that were offered, by key."""
    command = [sys.executable, "-P", "-m", "lk._command", "info", "--json", str(path)]
    info = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    keys: dict[str, dict[str, Any]] = json.loads(info["facts"]["recorder"])["keys"]
    return keys


@pytest.mark.parametrize("overflow", ["block", "drop_newest", "drop_oldest"])
def test_what_a_full_queue_does_is_counted_and_in_the_file(tmp_path: Path, overflow: str) -> None:
    path, count = tmp_path / "run.mcap", 20_000
    with Dataset.create("mcap", path) as dataset:
        # One value fits: all others find it full until the writer has come.
        rec = in_file(dataset, overflow=overflow, queue_bytes=1, sample_every_n=2)
        taken = sum(rec.record("a", n, timestamp=float(n)) for n in range(count))
        rec.close()
        stats = rec.get_stats()
    values = Dataset.load(path).read("a")
    written, dropped = stats["total_writes"], stats["dropped"]
    assert stats["total_samples"] == count and stats["skipped"] == count // 2
    assert written + dropped == count // 2 and stats["waiting"] == 0
    assert len(values) == written and values == sorted(set(values))
    assert (dropped == 0) == (overflow == "block")
    if overflow == "drop_newest":
        assert values[0] == 0 and taken == written
    if overflow == "drop_oldest":
        assert values[-1] == count - 2 and taken == count // 2
    said = counts_in(path)["a"]
    assert (said["offered"], said["skipped"]) == (count, count // 2)
    assert (said["written"], said["dropped"]) == (written, dropped)


def test_four_threads_lose_nothing_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    dataset = Dataset.create("mcap", path)
    rec = in_file(dataset, queue_bytes=10_000, auto_flush=True, flush_every_n=500)
    begin = threading.Barrier(4)

    def feed(worker: int) -> None:
        begin.wait()
        for n in range(1000):
            assert rec.record_all({"shared": worker * 1000 + n, f"own{worker}": n})

    threads = [threading.Thread(target=feed, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(dataset.read("shared")) == list(range(4000))
    stats = rec.get_stats()
    assert stats["total_samples"] == stats["total_writes"] == 8000 and balances(stats)
    dataset.close()
    with pytest.raises(lk.Error, match="it is closed"):
        rec.record("shared", 0)
    rec.close()
    loaded = Dataset.load(path)
    assert all(sorted(loaded.read(f"own{n}")) == list(range(1000)) for n in range(4))
    assert counts_in(path)["shared"]["written"] == 4000


@pytest.mark.parametrize("extension", ["mcap", "pkl"])
def test_who_reads_meanwhile_sees_all_that_was_recorded(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"run.{extension}"
    dataset = Dataset.create("pickle" if extension == "pkl" else "mcap", path)
    rec = in_file(dataset)
    for n in range(300):
        rec.record("a", n, timestamp=float(n))
        if n % 100 == 0:
            dataset.write("a", -n, timestamp=n + 0.5)
            assert dataset["a"][-1] == -n and len(dataset) == n + 2 + n // 100
    assert dataset.read("a", -1) == 299 and dataset.keys() == ["a"]
    assert dataset.get_timestamps("a")[-1] == 299.0
    assert rec.get_stats()["dataset_length"] == 303
    assert f"a: {len(dataset)}" in repr(dataset)
    rec.record("b", 1.5, timestamp=0.0)
    assert "b" in dataset and dataset.to_dict()["b"]["data"] == [1.5]
    with pytest.raises(lk.Error, match="a recorder writes to it"):
        dataset.clear()
    rec.close()
    dataset.clear()
    assert dataset.keys() == []


def test_what_a_recorder_wrote_that_is_gone_is_read(tmp_path: Path) -> None:
    dataset = Dataset.create("mcap", tmp_path / "run.mcap")
    for n in range(3):
        with in_file(dataset, use_ring_buffer=True) as rec:
            rec.record("a", n, timestamp=float(n))
        del rec
        gc.collect()
        assert dataset.read("a") == list(range(n + 1))


def test_a_value_that_no_message_holds_is_refused_at_the_call(tmp_path: Path) -> None:
    dataset = Dataset.create("mcap", tmp_path / "run.mcap")
    rec = in_file(dataset)
    with pytest.raises(lk.SchemaError, match="key a, index 0"):
        rec.record("a", object())
    rec.record("a", 1.0)
    with pytest.raises(lk.SchemaError, match="key a, index 1"):
        rec.record("a", "text")
    rec.flush()
    with pytest.raises(lk.SchemaError, match="key a, index 1"):
        dataset.write("a", "text")
    rec.record("a", 2.0)
    rec.close()
    stats = rec.get_stats()["per_key"]["a"]
    assert (stats["offered"], stats["written"], stats["dropped"]) == (4, 2, 2)
    assert dataset.read("a") == [1.0, 2.0]


def test_values_keep_their_types(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    with Dataset.create("mcap", path) as dataset, in_file(dataset) as rec:
        rec.record("pose", Vec2(1.0, 2.0), timestamp=0.0)
        rec.record("pair", (1, 2), timestamp=0.0)
    loaded = Dataset.load(path)
    assert loaded.read("pose") == [Vec2(1.0, 2.0)] and loaded.read("pair") == [(1, 2)]


def test_a_ring_that_is_never_triggered_leaves_no_key(tmp_path: Path) -> None:
    dataset = Dataset.create("mcap", tmp_path / "run.mcap")
    rec = in_file(dataset, use_ring_buffer=True)
    rec.record("a", 1, timestamp=0.0)
    dataset.flush()
    assert dataset.keys() == [] and rec.get_stats()["waiting"] == 1
    rec.flush()
    assert dataset.read("a") == [1]


def test_the_counts_of_all_recorders_are_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    with Dataset.create("mcap", path) as dataset:
        for start in (0, 10):
            with in_file(dataset) as rec:
                for n in range(start, start + 10):
                    rec.record("a", n, timestamp=float(n))
        last = in_file(dataset)
        last.record("b", 1, timestamp=0.0)
    assert Dataset.load(path).read("a") == list(range(20))
    assert {key: said["written"] for key, said in counts_in(path).items()} == {"a": 20, "b": 1}


def test_a_recorder_that_is_let_go_of_writes_what_it_took(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    dataset = Dataset.create("mcap", path)
    rec = in_file(dataset, use_ring_buffer=True)
    for n in range(100):
        rec.record("a", n, timestamp=float(n))
    del rec
    gc.collect()
    dataset.close()
    assert Dataset.load(path).read("a") == list(range(100))
    assert counts_in(path)["a"]["written"] == 100


def test_a_program_that_just_ends_has_written_what_it_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    code = """
import sys, lk
rec = lk.DataRecorder(lk.Dataset.create("mcap", sys.argv[1]))
for n in range(1000):
    rec.record("a", n, timestamp=float(n))
"""
    done = subprocess.run([sys.executable, "-P", "-c", code, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.warns(UserWarning, match="damaged"):
        assert Dataset.load(path).read("a") == list(range(1000))


FULL_DISK = """
import os, resource, sys
import lk

resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
dataset = lk.Dataset.create("mcap", sys.argv[1])
rec = lk.DataRecorder(dataset, config={"auto_flush": True, "flush_every_n": 1})
failed = []
for call in (
    lambda: [rec.record("noise", os.urandom(1000)) for n in range(1_000_000)],
    lambda: rec.record("noise", b"more"),
    rec.flush,
    rec.close,
    dataset.close,
):
    try:
        call()
    except lk.Error as error:
        assert "File too large" in str(error), error
        failed.append(error)
stats = rec.get_stats()
parts = [stats[part] for part in ("total_writes", "skipped", "dropped", "waiting")]
assert sum(parts) == stats["total_samples"] and parts[2] > 0 and parts[3] == 0, stats
print(len(failed))
"""


def test_a_full_disk_is_an_error_of_the_next_call_and_of_all_after(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    command = [sys.executable, "-P", "-c", FULL_DISK, str(tmp_path / "run.mcap")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_is_forked_off_needs_a_recorder_of_its_own(tmp_path: Path) -> None:
    code = """
import os, sys, lk
rec = lk.DataRecorder(lk.Dataset.create("mcap", sys.argv[1]))
rec.record("a", 1)
child = os.fork()
if child == 0:
    try:
        rec.record("a", 2)
    except lk.Error as error:
        os._exit(7 if "forked" in str(error) else 8)
    os._exit(9)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
rec.close()
rec.dataset.close()
"""
    path = tmp_path / "run.mcap"
    command = [sys.executable, "-W", "ignore", "-P", "-c", code, str(path)]
    subprocess.run(command, check=True)
    assert Dataset.load(path).read("a") == [1]


def test_a_path_is_recorded_to_and_ended_by_close(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.mcap"
    rec = DataRecorder(path)
    rec.record("a", 1.5, timestamp=0.0)
    assert rec.dataset.read("a") == [1.5]
    rec.close()
    assert Dataset.load(str(path)).read("a") == [1.5]
    with pytest.raises(FileExistsError):
        DataRecorder(path)


@pytest.mark.parametrize("settings", [{"split_bytes": 200}, {"split_after": 10.0}])
def test_a_recording_to_a_path_can_be_split(tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "run.mcap"
    with DataRecorder(str(path), config=settings) as rec:
        for n in range(100):
            rec.record("pose", Vec2(n, 0.0), timestamp=float(n))
        with pytest.raises(lk.Error, match="load its files"):
            rec.dataset.keys()
        rec.flush()
        assert rec.get_stats()["dataset_length"] == 100
    files = [path, *(tmp_path / f"run_{n}.mcap" for n in range(1, 10))]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    parts = [Dataset.load(file).read("pose") for file in files]
    assert [len(part) for part in parts] == [10] * 10
    assert [value.x for part in parts for value in part] == list(range(100))
    assert counts_in(files[-1])["pose"]["written"] == 100


def test_only_what_has_a_queue_takes_its_settings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="overflow is for the queue .* leave it at 'block'"):
        recorder(overflow="drop_oldest")
    with pytest.raises(ValueError, match="queue_bytes is for the queue"):
        recorder(queue_bytes=10)
    with pytest.raises(ValueError, match="overflow is 'wait'; it may be block, drop_newest"):
        recorder(overflow="wait")
    dataset = Dataset.create("mcap", tmp_path / "run.mcap")
    for made in (dataset, Dataset.create()):
        with pytest.raises(ValueError, match="give the recorder a path, not a dataset"):
            DataRecorder(made, config={"split_bytes": 1000})
    dataset.close()
    with pytest.raises(lk.Error, match="it is closed"):
        DataRecorder(dataset)


def test_a_dataset_that_writes_in_its_own_way_is_asked_to(tmp_path: Path) -> None:
    dataset = Counted(Dataset.create("mcap", tmp_path / "run.mcap").backend)
    seen: list[str] = []

    class Telling(Dataset):
        def write(self, key: str, value: Any, timestamp: Any = None, **more: Any) -> None:
            seen.append(key)
            super().write(key, value, timestamp, **more)

    DataRecorder(Telling(dataset.backend)).record("a", 1)
    assert seen == ["a"]
