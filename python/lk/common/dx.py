"""Diagnostics: what a component says of its own health."""

from __future__ import annotations

import enum
from collections import Counter

__all__ = ["Dx", "Level"]


class Level(enum.Enum):
    """How well a component is."""

    OK = "ok"
    WARN = "warn"
    ERROR = "error"
    #: It has not said anything: it never ran.
    STALE = "stale"


class Dx:
    """The level, last message and counters of one component."""

    def __init__(self) -> None:
        self.level = Level.STALE
        self.message = ""
        self.counters: Counter[str] = Counter()

    def ok(self) -> None:
        """Says that all is well again."""
        self.level, self.message = Level.OK, ""

    def warn(self, message: str) -> None:
        """Says what a person should look at. A standing error stays."""
        if self.level is not Level.ERROR:
            self.level, self.message = Level.WARN, message

    def error(self, message: str) -> None:
        """Says what is wrong."""
        self.level, self.message = Level.ERROR, message

    def count(self, name: str, n: int = 1) -> None:
        """Adds to a counter, which starts at 0."""
        self.counters[name] += n

    def alive(self) -> None:
        """It ran: silence is no longer stale."""
        if self.level is Level.STALE:
            self.level = Level.OK

    def __repr__(self) -> str:
        return f"Dx({self.level.value}, {self.message!r}, {dict(self.counters)})"
