"""Runs a Python component for `lk verify`: `python -m lk.harness module:Name`.

Speaks lk-run/1 on standard input and output. `Name` is a `lk.common.Component`
with typed ports, or any class or function that says what they are:

    class Normalizer:
        inputs = {"vector": Vec3}
        outputs = {"unit": Vec3}

        def step(self, vector: Vec3) -> Vec3: ...

`step` (or the function itself) is called in each tick in which an input came,
with the last message of each input by name, None before its first. It returns
a message where there is one output, or a dict of messages by output; None
writes nothing. Types are dataclasses, matched with those of `lk.toml` by their
fields. Ports are matched by name where an `lk.toml` lies in the working folder
or above it, else by the order in which they are declared.
"""

from __future__ import annotations

import importlib
import inspect
import os
import struct
import sys
import time
import tomllib
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

PROTOCOL = 1
HARNESS = b"python lk"
NO_TICK = 2**64 - 1
HELLO, INPUT, STEP, RESET, BYE = 1, 2, 3, 4, 5
READY, OUTPUT, DONE, ERROR = 129, 130, 131, 132
INPUTS, OUTPUTS = 0, 1
_READ = 1 << 18
_FLUSH = 1 << 16


class Fatal(Exception):
    """What ends the program, and is told to lk before."""


Ports = dict[str, type]
Step = Callable[[dict[str, Any]], Mapping[str, Any]]


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    if not module or not name:
        raise Fatal(f"{target!r} names no component; write it as module:Name")
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        traceback.print_exc()
        raise Fatal(f"can't import {target}: {_text(error)}") from None
    if not callable(found):
        raise Fatal(f"{target} is neither a class nor a function")
    return found


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _construct(found: Any, config: bytes) -> Any:
    """A component ready to step; its config where it has one."""
    if not inspect.isclass(found):
        return found
    try:
        options: dict[str, Any] = {}
        if config:
            from lk._kinds import kind_of_class

            settings = getattr(found, "Config", None)
            if settings is None:
                raise Fatal(f"lk.toml has a config, and {found.__name__} no class Config")
            options["config"] = kind_of_class(settings).decode(config)
        made = found(**options)
        for stage in ("configure", "activate"):
            if hasattr(made, "on_" + stage) and hasattr(made, stage):
                getattr(made, stage)()
    except Fatal:
        raise
    except Exception as error:
        traceback.print_exc()
        raise Fatal(f"constructing {found.__name__} failed: {_text(error)}") from None
    return made


def _ports(component: Any) -> tuple[Ports, Ports]:
    """Types by name of the inputs and of the outputs."""

    def types(name: str) -> Ports:
        ports = getattr(component, name, None)
        if ports is None:
            raise Fatal(f"the component has no `{name}`: ports, or a dict of types by name")
        items: Any = ports.items() if isinstance(ports, dict) else ports.all_ports().items()
        found: Ports = {key: getattr(port, "msg_type", port) for key, port in items}
        return found

    return types("inputs"), types("outputs")


def _stepper(component: Any) -> Step:
    """What is called in a tick: messages by input, then by output."""
    inputs, outputs = component.inputs, component.outputs
    if not isinstance(inputs, dict):
        return lambda messages: _step_ports(component, messages)
    step = getattr(component, "step", component)

    def call(messages: dict[str, Any]) -> Mapping[str, Any]:
        result = step(**{name: messages.get(name) for name in inputs})
        if result is None:
            return {}
        if isinstance(result, dict) and result.keys() <= outputs.keys():
            return {name: value for name, value in result.items() if value is not None}
        if len(outputs) != 1:
            raise TypeError(f"expected a dict of messages by output, got {type(result).__name__}")
        return {next(iter(outputs)): result}

    return call


def _step_ports(component: Any, messages: dict[str, Any]) -> Mapping[str, Any]:
    for name, message in messages.items():
        component.inputs.get_port(name).value = message
    ports = component.outputs.all_ports()
    before = {name: port.writes for name, port in ports.items()}
    component.step()
    return {name: port.value for name, port in ports.items() if port.writes != before[name]}


def _manifest() -> dict[str, Any] | None:
    for folder in (Path.cwd(), *Path.cwd().parents):
        path = folder / "lk.toml"
        if path.is_file():
            with path.open("rb") as file:
                return tomllib.load(file)
    return None


def _in_order(ports: Ports, table: str, manifest: dict[str, Any] | None) -> list[tuple[str, type]]:
    """The ports in the order of their numbers."""
    if manifest is None:
        return list(ports.items())
    names = list(manifest.get(table, {}))
    for name in names:
        if name not in ports:
            known = ", ".join(ports) or "none"
            raise Fatal(f"lk.toml has {name} in [{table}], the component has: {known}")
    return [(name, ports[name]) for name in names]


class _Harness:
    def __init__(self, target: str, read: int, write: int) -> None:
        self.target = target
        self.read, self.write = read, write
        self.out = bytearray()
        self.found: Any = None
        self.config = b""
        self.inputs: list[tuple[str, Any]] = []
        self.outputs: dict[str, tuple[int, Any]] = {}

    def serve(self) -> None:
        try:
            self.talk()
            self.flush()
        except Fatal as error:
            self.error(NO_TICK, str(error))
            self.flush()
            sys.exit(3)

    def talk(self) -> None:
        step: Step | None = None
        last: dict[str, Any] = {}
        fresh = False
        buffer = b""
        while (frame := self.frame(buffer)) is not None:
            kind, body, buffer = frame
            if kind == HELLO:
                step = self.hello(body)
                self.send(READY, struct.pack("<H", PROTOCOL) + HARNESS)
            elif kind == BYE:
                return
            elif step is None:
                raise Fatal("a frame came before hello")
            elif kind == INPUT:
                # Then the times when it was recorded and published, and the payload.
                (port,) = struct.unpack_from("<H", body)
                if port >= len(self.inputs):
                    raise Fatal(f"there is no input port {port}")
                name, message = self.inputs[port]
                try:
                    last[name] = message.decode(body[18:])
                except Exception as error:
                    raise Fatal(f"input {name}: {error}") from None
                fresh = True
            elif kind == STEP:
                tick, time_ns = struct.unpack_from("<Qq", body)
                self.tick(step, tick, time_ns, last if fresh else None)
                fresh = False
            elif kind == RESET:
                step = _stepper(_construct(self.found, self.config))
                last.clear()
                fresh = False
                self.send(DONE, struct.pack("<QQ", NO_TICK, 0))
            else:
                raise Fatal(f"frames of kind {kind} are not known")

    def tick(self, step: Step, tick: int, time_ns: int, last: dict[str, Any] | None) -> None:
        mark = len(self.out)
        start = time.perf_counter_ns()
        spent = 0
        try:
            written = step(last) if last is not None else {}
            spent = time.perf_counter_ns() - start
            for name, message in written.items():
                if name not in self.outputs:
                    raise TypeError(f"there is no output port {name!r}")
                port, kind = self.outputs[name]
                self.send(OUTPUT, struct.pack("<Hq", port, time_ns) + kind.encode(message))
        except Exception as error:
            # A tick that fails writes nothing.
            del self.out[mark:]
            traceback.print_exc()
            self.error(tick, _text(error))
        self.send(DONE, struct.pack("<QQ", tick, spent))

    def hello(self, body: bytes) -> Step:
        from lk._kinds import kind_of_class
        from lk.errors import SchemaError

        version, _seed, count = struct.unpack_from("<HQH", body)
        if version != PROTOCOL:
            raise Fatal(f"lk speaks version {version} of lk-run, this harness {PROTOCOL}")
        (size,) = struct.unpack_from("<I", body, 12 + 19 * count)
        self.config = body[len(body) - size :] if size else b""
        self.found = _load(self.target)
        component = _construct(self.found, self.config)
        inputs, outputs = _ports(component)
        manifest = _manifest()
        declared = {
            INPUTS: _in_order(inputs, "inputs", manifest),
            OUTPUTS: _in_order(outputs, "outputs", manifest),
        }
        wanted: dict[int, list[bytes]] = {INPUTS: [], OUTPUTS: []}
        for n in range(count):
            direction, _index, fingerprint = struct.unpack_from("<BH16s", body, 12 + 19 * n)
            if direction not in wanted:
                raise Fatal("lk.toml has a [state], which lk.harness doesn't know")
            wanted[direction].append(fingerprint)
        kinds: dict[int, list[tuple[str, Any]]] = {INPUTS: [], OUTPUTS: []}
        for direction, ports in declared.items():
            if len(ports) != len(wanted[direction]):
                what = ("inputs", "outputs")[direction]
                raise Fatal(f"lk.toml has {len(wanted[direction])} {what}, the component {len(ports)}")
            for (name, cls), fingerprint in zip(ports, wanted[direction]):
                try:
                    kind = kind_of_class(cls)
                except (SchemaError, TypeError) as error:
                    raise Fatal(f"port {name}: {error}") from None
                if kind.fingerprint() != fingerprint:
                    _, text, _ = kind.describe()
                    raise Fatal(f"port {name} is of another type in lk.toml; here it is:\n{text}")
                kinds[direction].append((name, kind))
        self.inputs = kinds[INPUTS]
        self.outputs = {name: (n, kind) for n, (name, kind) in enumerate(kinds[OUTPUTS])}
        return _stepper(component)

    def frame(self, buffer: bytes) -> tuple[int, bytes, bytes] | None:
        """Kind and body of the next frame, and what follows it; None at the end."""
        while True:
            if len(buffer) >= 4:
                (length,) = struct.unpack_from("<I", buffer)
                if len(buffer) >= 4 + length:
                    return buffer[4], buffer[5 : 4 + length], buffer[4 + length :]
            # Nothing is left to do but wait: what was answered is due.
            self.flush()
            part = os.read(self.read, _READ)
            if not part:
                if buffer:
                    raise Fatal("the input ends inside a frame")
                return None
            buffer += part

    def send(self, kind: int, body: bytes) -> None:
        self.out += struct.pack("<IB", 1 + len(body), kind) + body
        if len(self.out) >= _FLUSH and kind == DONE:
            self.flush()

    def error(self, tick: int, text: str) -> None:
        self.send(ERROR, struct.pack("<Q", tick) + text.encode("utf-8", "replace"))

    def flush(self) -> None:
        while self.out:
            del self.out[: os.write(self.write, self.out)]


def _take_pipes() -> tuple[int, int]:
    """Gives the protocol descriptors of its own: the component's prints go to
    the log, and it reads an empty standard input."""
    pipes = os.dup(0), os.dup(1)
    nothing, writable = os.pipe()
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    os.close(writable)
    return pipes


def main() -> None:
    """Serves the component that the command line names."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        _usage()
    pipes = _take_pipes()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    _Harness(sys.argv[1], *pipes).serve()


def _usage() -> NoReturn:
    print("usage: python -m lk.harness module:Name", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
