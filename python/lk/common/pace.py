"""Waiting for a time to come, on the monotonic clock."""

from __future__ import annotations

import math
import threading
import time

__all__ = ["Pacer", "SPIN_NS", "slack"]

#: How long before a deadline a wait turns into a spin: a condition wakes up some
#: 50 to 150 us late.
SPIN_NS = 150_000


def slack(now: float) -> float:
    """By how much two times in seconds may differ and be the same: a nanosecond, or, in
    seconds since 1970, what a float rounds."""
    return max(1e-9, 4.0 * math.ulp(now))


class Pacer:
    """Waits that another thread can end.

    Deadlines are absolute, in nanoseconds of ``time.monotonic_ns``, so that nothing
    adds up to a drift. Who waits takes a :meth:`ticket` first, while it holds
    :attr:`changed` and looks at what it waits for: a wake-up after that ends the wait,
    even one that comes before it begins.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._wakes = 0

    def wake(self) -> None:
        """Ends the wait that is under way."""
        with self.changed:
            self._wakes += 1
            self.changed.notify_all()

    def ticket(self) -> int:
        """What tells a wake-up that came since."""
        with self.changed:
            return self._wakes

    def wait_until(self, deadline_ns: int, ticket: int) -> bool:
        """Waits until then, not at all when it has passed; False where it was woken."""
        with self.changed:
            while self._wakes == ticket:
                left = deadline_ns - time.monotonic_ns() - SPIN_NS
                if left <= 0:
                    break
                self.changed.wait(left / 1e9)
        while self._wakes == ticket and time.monotonic_ns() < deadline_ns:
            pass
        return self._wakes == ticket

    def wait(self, ticket: int) -> None:
        """Waits until it is woken."""
        with self.changed:
            while self._wakes == ticket:
                self.changed.wait()
