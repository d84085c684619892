"""Times that count as the same."""

from __future__ import annotations

import math

__all__ = ["slack"]


def slack(now: float) -> float:
    """By how much two times in seconds may differ and be the same: a nanosecond, or, in
    seconds since 1970, what a float rounds."""
    return max(1e-9, 4.0 * math.ulp(now))
