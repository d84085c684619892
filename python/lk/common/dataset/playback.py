"""Playing recorded data again, step by step or at its times."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lk._lk import Pacer
from lk.common.component import Component
from lk.common.dataset.backends._file import FileBackend
from lk.common.dataset.backends.memory import own_copy
from lk.common.dataset.ticks import by_row, by_time
from lk.common.pace import slack
from lk.common.port import OutputPort, accepts

if TYPE_CHECKING:
    from lk.common.dataset.dataset import Dataset
    from lk.common.node import Node

__all__ = ["DataPlayback", "PlayReport"]


@dataclass(frozen=True)
class PlayReport:
    """How playing in real time went; all times in seconds."""

    ticks: int
    #: How long it took, without pauses.
    duration: float
    #: How much recorded time that was.
    recorded: float
    #: How late ticks were: median and 99th percentile, both rounded up by at most an
    #: eighth, and worst.
    lateness_p50: float
    lateness_p99: float
    lateness_max: float

    @property
    def rate(self) -> float:
        """Recorded time per time; NaN for a single tick."""
        return self.recorded / self.duration if self.duration > 0.0 else math.nan


class DataPlayback(Component):
    """A component that gives recorded values at an output for each key.

    A tick is the samples of one time, of whatever keys have one; outputs keep their
    last value. Calling the playback goes on by a tick and returns its values.

    ``on_tick(time, values)`` is called after each tick, if set, with its recorded time
    in seconds and its values by key; connected ports have got them by then.
    """

    @dataclass
    class Config:
        """How it plays; times are in seconds."""

        #: How many times as fast as recorded ``play_realtime`` plays.
        rate: float = 1.0
        #: Whether it begins again at its end.
        loop: bool = False
        #: How long after the first sample it begins.
        start_offset: float = 0.0
        #: Whether samples of one time come together; else row by row: the first of
        #: each key, then the second.
        use_recorded_timestamps: bool = True
        #: The real-time factor, another word for ``rate``, which it goes before.
        rtf: float | None = None
        #: Whether it plays in a system from the start; else ``play`` says when.
        auto_play: bool = False
        #: It ends before the first sample at or after this time.
        until: float | None = None
        #: The keys to play; None for all.
        keys: list[str] | None = None
        #: Names of outputs, where they aren't those of the keys.
        rename: dict[str, str] = field(default_factory=dict)
        #: How much later than recorded everything is played.
        delay: float = 0.0

    def __init__(
        self,
        dataset: Dataset,
        name: str | None = None,
        node: Node | None = None,
        config: Any = None,
    ) -> None:
        self.dataset = dataset
        self.on_tick: Callable[[float, dict[str, Any]], object] | None = None
        #: The recorded time of the last tick in nanoseconds, without rounding.
        self.time_ns: int | None = None
        self._pacer = Pacer.start()
        #: Held by who looks at where it stands, or changes it.
        self._changed = threading.RLock()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._report: PlayReport | None = None
        super().__init__(name=name, node=node, config=config)
        self._playing: bool = self.config.auto_play
        self._running = self._stopped = self._moved = False
        self._next = 0
        self._cycle = 0
        self._current: dict[str, Any] = {}
        #: The number of a tick and its values, which were read before its time.
        self._ahead: tuple[int, list[tuple[OutputPort[Any], Any]]] | None = None
        # What is read from a file is made anew each time.
        self._decodes = isinstance(dataset.backend, FileBackend)
        self._keys = self._chosen_keys()
        self._create_output_ports()
        columns = [self.dataset.timestamps_ns(key) for key in self._keys]
        ticks = by_time(columns) if self.config.use_recorded_timestamps else by_row(columns)
        begin = float(ticks.seconds[0]) + self.config.start_offset if len(ticks) else 0.0
        self._ticks = ticks.between(begin, self.config.until)
        self._period = self._cycle_time()

    def _chosen_keys(self) -> list[str]:
        there = list(self.dataset.keys())
        chosen = there if self.config.keys is None else list(self.config.keys)
        for key in [*chosen, *self.config.rename]:
            if key not in there:
                raise KeyError(f"no key {key!r} to play; there are: {', '.join(there) or 'none'}")
        return chosen

    def _create_output_ports(self) -> None:
        """Makes an output for each key, of the type of its first value; of a key without
        values it may be connected to anything, and gives nothing."""
        self._ports: list[OutputPort[Any]] = []
        for key in self._keys:
            name = self.config.rename.get(key, key)
            is_empty = len(self.dataset.timestamps_ns(key)) == 0
            first: Any = Any if is_empty else type(self.dataset.read(key, index=0))
            port: OutputPort[Any] = OutputPort(name, first, owner=self)
            self._ports.append(self.outputs.add_port(name, port))

    def _cycle_time(self) -> int:
        """How long one round of a loop takes, in ns: to the last tick, and one more
        between."""
        if len(self._ticks) < 2:
            return 1_000_000_000
        span = int(self._ticks.times[-1] - self._ticks.times[0])
        return span + span // (len(self._ticks) - 1)

    # Step by step.

    def step(self) -> bool:
        """Delivers the next tick; False at the end, which a loop doesn't have."""
        with self._changed:
            if self._at_end():
                return False
            time_s, values = self._play_tick()
        self._tell(time_s, values)
        return True

    def forward(self) -> dict[str, Any]:
        """Delivers the next tick and returns its values by key; empty at the end."""
        with self._changed:
            if self._at_end():
                return {}
            time_s, values = self._play_tick()
        self._tell(time_s, values)
        return values

    def _at_end(self) -> bool:
        """Whether there is nothing more; at its end a loop begins again."""
        if self._next < len(self._ticks):
            return False
        if self.config.loop and len(self._ticks):
            self._next = 0
            self._cycle += 1
            return False
        return True

    def _read_ahead(self) -> list[tuple[OutputPort[Any], Any]]:
        """The next tick's values and where they go, read once."""
        if self._ahead is None or self._ahead[0] != self._next:
            values = []
            for number, index in self._ticks.samples(self._next):
                port, value = self._ports[number], self.dataset.read(self._keys[number], index)
                if not self._decodes:
                    # Who gets it may change it in place: what is recorded stays as it was.
                    value = own_copy(value)
                if not accepts(port.msg_type, value):
                    # The first value doesn't say what a key of mixed types holds.
                    port.msg_type = _common_base(port.msg_type, type(value))
                values.append((port, value))
            self._ahead = self._next, values
        return self._ahead[1]

    def _play_tick(self) -> tuple[float, dict[str, Any]]:
        time_s, values = self._time_of(self._next), {}
        self.time_ns = self._ns_of(self._next)
        for port, value in self._read_ahead():
            port.write(value)
            values[port.name] = self._current[port.name] = value
            for connection in port.connections:
                if not connection.delayed:
                    connection.transfer_new()
        self._next += 1
        self._ahead = None
        self.dx.alive()
        return time_s, values

    def _time_of(self, tick: int) -> float:
        return self._ns_of(tick) / 1e9

    def _ns_of(self, tick: int) -> int:
        delay = round(float(self.config.delay) * 1e9)
        return int(self._ticks.times[tick]) + delay + self._cycle * self._period

    def _tell(self, time_s: float, values: dict[str, Any]) -> None:
        if self.on_tick is not None:
            self.on_tick(time_s, values)

    def next_time(self) -> float | None:
        """The recorded time of the next tick in seconds, ``delay`` added; None where it
        isn't playing, or at the end."""
        with self._changed:
            if not self._playing or self._at_end():
                return None
            return self._time_of(self._next)

    def _system_step(self, now: float | None) -> bool:
        """Delivers all ticks whose time has come in the system."""
        delivered = False
        while (time_s := self.next_time()) is not None and (now is None or time_s <= now + slack(now)):
            delivered = self.step()
            # Without a rate the system goes from tick to tick, one in each step.
            if now is None or time_s == now:
                break
        return delivered

    def get_current_values(self) -> dict[str, Any]:
        """The last value of each key that had one so far."""
        with self._changed:
            return dict(self._current)

    @property
    def done(self) -> bool:
        """Whether all has been played; never in a loop."""
        return self._next >= len(self._ticks) and not (self.config.loop and len(self._ticks))

    @property
    def progress(self) -> float:
        """The share of ticks that were delivered, 0 to 1; 1 where there are none."""
        return self._next / len(self._ticks) if len(self._ticks) else 1.0

    def __len__(self) -> int:
        return len(self._ticks)

    # Where it stands; all of it from any thread.

    @property
    def playing(self) -> bool:
        """Whether it plays: in real time, or when its system steps."""
        return self._playing

    def play(self) -> None:
        """Lets it play, or go on after a pause."""
        self._set(playing=True)

    def pause(self) -> None:
        """Stops it where it is, until ``play``."""
        self._set(playing=False)

    def reset(self) -> None:
        """Goes back to the start; outputs have no value."""
        with self._changed:
            self._cycle = 0
            self.seek(0)

    def seek(self, index: int | None = None, *, time: float | None = None) -> None:
        """Goes to a tick by its number, negative from the end, or to the first at or
        after a recorded time in seconds. Outputs have no value until the next tick.

        Raises:
            IndexError: where there is no such tick; the one past the last is the end.
            TypeError: unless just one of the two is given.
        """
        if (index is None) == (time is None):
            raise TypeError("seek takes either an index or a time")
        count = len(self._ticks)
        if time is not None:
            index = int(np.searchsorted(self._ticks.seconds + self.config.delay, time, "left"))
        assert index is not None, "one of the two was given"
        at = index + count if index < 0 else index
        if not 0 <= at <= count:
            raise IndexError(f"no tick {index}: there are {count}")
        with self._changed:
            self._next = at
            for port in self._ports:
                port.clear()
            self._current.clear()
            self._moved = True
            self._pacer.wake()

    def stop(self) -> None:
        """Ends playing in real time, where it is."""
        with self._changed:
            self._stopped = True
            self._pacer.wake()

    def _set(self, playing: bool) -> None:
        with self._changed:
            self._playing = playing
            self._moved = True
            self._pacer.wake()

    # In real time.

    def play_realtime(
        self, rate: float | None = None, blocking: bool = True
    ) -> PlayReport | None:
        """Plays from where it is to the end at the recorded times, ``rate`` times as fast.

        Each tick has an absolute deadline on the monotonic clock: nothing adds up to a
        drift, and a tick that is late waits no more. A rate of ``inf`` waits never.
        Another thread may ``pause``, ``play``, ``seek`` and ``stop`` it. It waits without
        the GIL, and a tick's values are read before its time comes.

        Returns:
            How it went; without ``blocking`` None at once, and the report from ``wait``.

        Raises:
            ValueError: for a rate that isn't above 0.
            RuntimeError: where it plays already.
        """
        config = self.config
        speed = rate if rate is not None else config.rtf if config.rtf is not None else config.rate
        if not speed > 0.0:
            raise ValueError(f"the rate is {speed}; it must be above 0")
        with self._changed:
            if self._running:
                raise RuntimeError(f"playback {self.name!r} plays already")
            self._running, self._stopped, self._moved = True, False, True
            self._playing, self._failure, self._report = True, None, None
        if blocking:
            self._play(speed)
            return self._report
        self._thread = threading.Thread(
            target=self._play_aside, args=(speed,), name=f"lk-{self.name}", daemon=True
        )
        self._thread.start()
        return None

    def wait(self, timeout: float | None = None) -> PlayReport | None:
        """Waits until a playback that doesn't block has ended; its report, or None
        where it plays on after ``timeout`` seconds. What ``on_tick`` raised is raised."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                return None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return self._report

    def _play_aside(self, speed: float) -> None:
        try:
            self._play(speed)
        except BaseException as error:
            # It is raised where somebody waits for it.
            self._failure = error

    def _play(self, speed: float) -> None:
        pacer, ticks = self._pacer, 0
        origin_ns, origin_s, last_s, time_s = 0, 0.0, 0.0, 0.0
        taken_ns, recorded_s = 0, 0.0
        last_ns = 0
        pacer.report()
        try:
            while True:
                with self._changed:
                    if self._stopped:
                        break
                    ticket = pacer.ticket()
                    paused = not self._playing
                    if not paused and self._at_end():
                        break
                    if not paused:
                        self._read_ahead()
                        time_s = self._time_of(self._next)
                        if self._moved:
                            self._moved = False
                            origin_ns, origin_s = pacer.now_ns(), time_s
                            last_ns, last_s = origin_ns, time_s
                if paused:
                    pacer.wait_woken(ticket)
                    continue
                deadline = origin_ns + round((time_s - origin_s) / speed * 1e9)
                late_ns = pacer.wait_until(deadline, ticket)
                if late_ns is None:
                    continue
                with self._changed:
                    # What changed since the wait ended goes first.
                    if pacer.ticket() != ticket:
                        continue
                    _, values = self._play_tick()
                pacer.count(late_ns)
                ticks, now = ticks + 1, deadline + late_ns
                taken_ns, recorded_s = taken_ns + now - last_ns, recorded_s + time_s - last_s
                last_ns, last_s = now, time_s
                self._tell(time_s, values)
        finally:
            late = (ns / 1e9 for ns in pacer.report())
            self._report = PlayReport(ticks, taken_ns / 1e9, recorded_s, *late)
            with self._changed:
                self._running = self._playing = False


def _common_base(a: Any, b: type) -> Any:
    """The nearest class that both have; whatever there is where that says nothing."""
    if isinstance(a, type):
        for base in a.__mro__:
            if issubclass(b, base):
                return base
    return object
