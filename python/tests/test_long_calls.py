"""Long calls let other threads run, and end at Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

import lk


@dataclass
class Row:
    values: list[float]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "a.mcap"
    with lk.Dataset.create("mcap", path, compression="lz4") as dataset:
        row = Row([0.5] * 500)
        for n in range(4_000):
            dataset.write("row", row, timestamp_ns=n)
    return path


INTERRUPTED = """
import os, signal, sys, threading, time
import lk

a, b = lk.Dataset.load(sys.argv[1]), lk.Dataset.load(sys.argv[1])
ready = threading.Event()

def interrupt():
    ready.wait()
    time.sleep(0.05)
    global pressed
    pressed = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    ready.set()
    while True:
        lk.diffdiff(a, b)
except KeyboardInterrupt:
    print(time.monotonic() - pressed)
    # What was interrupted can be used again.
    assert lk.diffdiff(a, b).matches
"""


def test_ctrl_c_ends_a_comparison(recording: Path) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, recording], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # How long it takes is measured elsewhere; that it ends is what counts here.
    assert float(done.stdout) >= 0.0


def test_other_threads_run_while_two_datasets_are_compared(recording: Path) -> None:
    a, b = lk.Dataset.load(recording), lk.Dataset.load(recording)
    done = threading.Event()
    results: list[lk.DiffResult] = []

    def compare() -> None:
        results.append(lk.diffdiff(a, b))
        done.set()

    turns = 0
    thread = threading.Thread(target=compare)
    thread.start()
    while not done.is_set():
        turns += 1
    thread.join()
    assert results[0].matches and turns > 0


def test_a_dataset_compared_with_itself_by_many_threads_is_identical(recording: Path) -> None:
    dataset = lk.Dataset.load(recording)
    verdicts: list[str] = []

    def compare() -> None:
        verdicts.append(lk.diffdiff(dataset, dataset).verdict)
        assert len(dataset["row"]) == 4_000

    threads = [threading.Thread(target=compare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == ["identical"] * 4
