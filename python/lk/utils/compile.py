"""Replacing a component: by a port in another language, or by a network.

What lk does is to record, to set up, to run and to compare. Who writes the port, and
what trains the network, is given to it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lk.common.component import Component
from lk.common.dataset.dataset import Dataset
from lk.common.dataset.diff import DiffResult, diffdiff
from lk.common.dataset.fields import join_path, numeric_leaves
from lk.common.dataset.playback import DataPlayback
from lk.common.dataset.replay import input_names, replay
from lk.errors import CandidateError, Error
from lk.utils.prompt import Prompt

__all__ = ["AICompiled", "NNCompiled", "ai_compile", "lk_command", "nn_compile", "training_data"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AICompiled:
    """A port, and what ``lk verify`` found."""

    #: Whether it behaves like the original.
    passed: bool
    #: How many times it was written.
    attempts: int
    #: The project: lk.toml, the recording, the port.
    directory: Path
    #: The report as text, and as data.
    report: str
    outcome: dict[str, Any]
    #: What the original did, and what the port did; None where it did not run.
    reference: Dataset
    candidate: Dataset | None

    def __bool__(self) -> bool:
        return self.passed


def ai_compile(
    component: Component | Callable[..., Any],
    inputs: Dataset,
    directory: str | Path,
    target_language: str = "cpp",
    write: Callable[[Prompt, Path], object] | None = None,
    *,
    name: str | None = None,
    rules: Sequence[str] = (),
    attempts: int = 1,
    command: Sequence[str] | None = None,
) -> AICompiled:
    """Has a port of a component written, runs it, and compares it with the original.

    The component is stepped through the inputs and recorded; types, a harness and an
    empty port are generated into ``directory``; ``write(prompt, folder)`` fills in the
    port there, by asking a model or a person. Then ``lk verify`` builds it, runs it on
    the same inputs in lock-step and compares every output. The port runs with your
    rights: don't run code that you don't trust.

    Args:
        target_language: ``cpp``, ``rust`` or ``python``.
        write: who writes the port. Without it the project and ``prompt.md`` are left in
            ``directory``, and an error says how to go on.
        name: of the component; that of its class or function otherwise.
        rules: tolerances, as in lk.toml: ``"1e-9"``, ``"unit.x:abs=1e-6"``.
        attempts: how often the port is written, at most. Each but the first time the
            prompt has the report of the one before among its examples.
        command: how lk is called; found beside Python or on the path otherwise.

    Raises:
        NotImplementedError: without ``write``: lk has no model of its own.
        CandidateError: where lk itself fails, with what it said.
    """
    folder = Path(directory)
    lk = list(command) if command is not None else lk_command()
    title = name or _name_of(component)
    reference = _record(component, inputs, folder / "reference.mcap")
    takes = input_names(component)
    ports = [a for k in reference.keys() for a in ("--input" if k in takes else "--output", k)]
    _run(lk, "init", folder, "--from", folder / "reference.mcap", "--component", title, *ports,
         "--to", target_language)  # fmt: skip
    if rules:
        with (folder / "lk.toml").open("a", encoding="utf-8") as manifest:
            manifest.write(f"\n[tolerance]\nrules = {json.dumps(list(rules))}\n")
    port = folder / target_language
    prompt = Prompt.from_component(
        component,
        target_language,
        component_name=title,
        dataset_path=folder / "reference.mcap",
        api_docs=_headers(port),
        build_instructions=f"`lk verify {folder}` builds it, runs it and compares.",
    )
    (folder / "prompt.md").write_text(prompt.to_markdown(), encoding="utf-8")
    if write is None:
        raise NotImplementedError(
            f"lk asks no model by itself: give ai_compile a write=..., or have {port} filled in "
            f"as {folder / 'prompt.md'} says, and call: lk verify {folder}"
        )
    recorded = folder / f"target/lk/candidate-{target_language}.mcap"
    attempt, code, text = 0, 1, ""
    while code != 0 and attempt < max(attempts, 1):
        if attempt > 0:
            prompt.examples = [f"The last attempt did not pass:\n\n```text\n{text.strip()}\n```"]
        write(prompt, port)
        # What a port before this one did is not what this one does.
        recorded.unlink(missing_ok=True)
        code, text = _verify(lk, folder)
        attempt += 1
    outcome = json.loads((folder / "target/lk/report.json").read_text(encoding="utf-8"))
    candidate = Dataset.load(recorded) if recorded.exists() else None
    return AICompiled(code == 0, attempt, folder, text, outcome, reference, candidate)


def lk_command() -> list[str]:
    """How the command ``lk`` is called: the one beside Python, else one on the path.

    Raises:
        FileNotFoundError: where there is none.
    """
    beside = shutil.which("lk", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("lk")
    if found is None:
        error = FileNotFoundError("there is no command lk beside Python nor on the path")
        error.add_note("hint: cargo install --path crates/lk-cli, or give command=[...]")
        raise error
    return [found]


def _record(component: Any, inputs: Dataset, path: Path) -> Dataset:
    path.parent.mkdir(parents=True, exist_ok=True)
    from lk._kinds import kind_of_values
    from lk._lk import Recording

    takes = input_names(component)
    recorded = replay(component, inputs, record_inputs=True)
    if not set(recorded.keys()) - set(takes):
        raise Error(f"{_name_of(component)} gave no output for these inputs")
    # Saved with the roles of its keys, so that a report shows the inputs of what
    # differs first.
    encoded = Recording.memory()
    for key in recorded.keys():
        values = recorded.read(key)
        kind = kind_of_values(values)
        encoded.add(key, kind, "input" if key in takes else "output")
        encoded.write_all(key, kind, values, recorded.timestamps_ns(key).tobytes())
    saved = Recording.create(path, True, "", False)
    saved.copy_from(encoded)
    saved.close()
    return Dataset.load(path)


def _name_of(component: Any) -> str:
    name = getattr(component, "__name__", type(component).__name__)
    spaced = "".join(f"_{c.lower()}" if c.isupper() else c for c in str(name))
    return spaced.strip("_")


def _headers(port: Path) -> dict[str, str]:
    """What a port is written against."""
    names = ("types.hpp", "component.hpp", "component.cpp", "src/component.rs", "src/types.rs",
             "component.py", "lk_types.py")  # fmt: skip
    return {n: (port / n).read_text(encoding="utf-8") for n in names if (port / n).exists()}


def _call(lk: Sequence[str], *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*lk, *map(str, args)], capture_output=True, text=True, encoding="utf-8", check=False
    )


def _run(lk: Sequence[str], *args: object) -> str:
    done = _call(lk, *args)
    if done.returncode != 0:
        raise CandidateError(f"lk {args[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _verify(lk: Sequence[str], folder: Path) -> tuple[int, str]:
    done = _call(lk, "verify", folder, "--color", "never")
    # 0 and 1 are verdicts, 3 is a port that didn't build or run; 2 is lk's own.
    if done.returncode not in (0, 1, 3):
        raise CandidateError(f"lk verify: {done.stderr.strip() or done.stdout.strip()}")
    return done.returncode, done.stdout + done.stderr


@dataclass(frozen=True)
class NNCompiled:
    """A trained stand-in, and how it compares on inputs that it was not trained on."""

    #: From inputs (n, d) to outputs (n, m).
    predict: Callable[[Floats], Floats]
    #: The numbers of inputs and outputs in the order of the columns.
    input_fields: list[str]
    output_fields: list[str]
    #: The original's outputs on the held-out ticks, and the stand-in's.
    reference: Dataset
    candidate: Dataset
    comparison: DiffResult

    def __bool__(self) -> bool:
        return self.comparison.matches


@dataclass(frozen=True)
class TrainingData:
    """What a component gets and gives, a row for each tick."""

    #: (n, d) and (n, m), in the units of the fields; times (n,) in seconds.
    inputs: Floats
    outputs: Floats
    times: Floats
    input_fields: list[str]
    output_fields: list[str]


def training_data(dataset: Dataset, inputs: Sequence[str], outputs: Sequence[str]) -> TrainingData:
    """All numbers in the values of these keys, tick by tick, as arrays.

    A tick is a row when each of the keys has had a value; keys that have none in it keep
    their last.

    Raises:
        ValueError: where there is no such tick, or the fields change on the way.
    """
    rows: list[tuple[float, dict[str, float], dict[str, float]]] = []
    playback = DataPlayback(dataset, config={"keys": [*inputs, *outputs]})

    def on_tick(time_s: float, _: dict[str, Any]) -> None:
        values = playback.get_current_values()
        if len(values) == len(inputs) + len(outputs):
            rows.append((time_s, _fields(values, inputs), _fields(values, outputs)))

    playback.on_tick = on_tick
    while playback.step():
        pass
    if not rows:
        raise ValueError(f"there is no tick by which {[*inputs, *outputs]} have values")
    _, first_inputs, first_outputs = rows[0]
    for time_s, x, y in rows:
        if x.keys() != first_inputs.keys() or y.keys() != first_outputs.keys():
            raise ValueError(f"the fields are others at {time_s} s than at the start")
    return TrainingData(
        np.array([list(x.values()) for _, x, _ in rows], dtype=np.float64),
        np.array([list(y.values()) for _, _, y in rows], dtype=np.float64),
        np.array([time_s for time_s, _, _ in rows], dtype=np.float64),
        list(first_inputs),
        list(first_outputs),
    )


def _fields(values: dict[str, Any], keys: Sequence[str]) -> dict[str, float]:
    fields: dict[str, float] = {}
    for key in keys:
        for path, number in numeric_leaves(values[key]).items():
            name = join_path(key, path)
            if name in fields:
                raise ValueError(f"two fields are called {name!r}: as a key, and in another")
            fields[name] = number
    return fields


def nn_compile(
    component: Component | Callable[..., Any],
    inputs: Dataset,
    train: Callable[[Floats, Floats], Callable[[Floats], Floats]] | None = None,
    *,
    held_out: float = 0.2,
    tolerance: float = 1e-2,
) -> NNCompiled:
    """Has a stand-in for a component trained, and compares it with the original.

    The component is stepped through the inputs. ``train(x, y)`` gets the first part of
    what it got (n, d) and gave (n, m) and returns a function from inputs to outputs; the
    rest, in time, is what both are compared on. A component with a state of its own is
    no function of its inputs: what a good training error says of it is little.

    Args:
        train: what trains. lk has no training of its own yet.
        held_out: the share of ticks, at the end, that ``train`` doesn't see.
        tolerance: the largest absolute error that is still equal.

    Raises:
        NotImplementedError: without ``train``.
    """
    if train is None:
        raise NotImplementedError(
            "lk trains no network yet: give nn_compile a train=..., in PyTorch for instance; "
            "lk.utils.compile.training_data gives the arrays"
        )
    if not 0.0 < held_out < 1.0:
        raise ValueError(f"held_out is {held_out}; it must lie between 0 and 1")
    recorded = replay(component, inputs, record_inputs=True)
    takes = input_names(component)
    ins = [key for key in recorded.keys() if key in takes]
    outs = [key for key in recorded.keys() if key not in takes]
    if not ins or not outs:
        raise Error(f"{_name_of(component)} took or gave nothing with these inputs")
    data = training_data(recorded, ins, outs)
    split = round(len(data.times) * (1.0 - held_out))
    if not 0 < split < len(data.times):
        raise ValueError(f"{len(data.times)} ticks are too few to hold {held_out:.0%} out")
    predict = train(data.inputs[:split], data.outputs[:split])
    predicted = np.asarray(predict(data.inputs[split:]), dtype=np.float64)
    wanted = data.outputs[split:]
    if predicted.shape != wanted.shape:
        raise ValueError(f"predict gave shape {predicted.shape}, and {wanted.shape} was expected")
    both = []
    for values in (wanted, predicted):
        made = Dataset.create()
        for column, field in enumerate(data.output_fields):
            for time_s, value in zip(data.times[split:].tolist(), values, strict=True):
                made.write(field, float(value[column]), time_s)
        both.append(made)
    comparison = diffdiff(both[0], both[1], tol=tolerance)
    return NNCompiled(
        predict, data.input_fields, data.output_fields, both[0], both[1], comparison
    )
