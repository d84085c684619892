#!/usr/bin/env python3
"""Prints vectors to normalize, as CSV: 100 random ones, then the corners.

    python3 make_inputs.py > inputs.csv
"""

import itertools
import random

SEED = 20
HUGE = 1.7976931348623157e308
TINY = 5e-324


def vectors():
    draw = random.Random(SEED)
    for _ in range(100):
        yield tuple(draw.uniform(-10.0, 10.0) for _ in range(3))
    # Unit already: along the axes, and 3-4-5 triangles.
    for axis, sign in itertools.product(range(3), (1.0, -1.0)):
        yield tuple(sign if i == axis else 0.0 for i in range(3))
    yield (0.6, 0.8, 0.0)
    yield (0.0, -0.6, 0.8)
    # Zero, of every sign.
    yield from itertools.product((0.0, -0.0), repeat=3)
    # Large, up to the last double; then tiny, down to the first.
    for size in (1e3, 1e6, 1e12, 1e154, 1e155, 1e200, 1e308, HUGE):
        yield (size, -size, size)
        yield (0.25 * size, 0.5 * size, -0.125 * size)
    for size in (1e-3, 1e-6, 1e-154, 1e-162, 1e-200, 1e-308, 3.0 * TINY, TINY):
        yield (size, -size, size)
        yield (0.0, size, 2.0 * size)
    # Large beside small: the small ones shrink, down to nothing.
    yield (1e8, 1.0, -1.0)
    yield (1e300, 1.0, 1e-300)


def main():
    print("time_s,x,y,z")
    for tick, vector in enumerate(vectors()):
        print(f"{tick * 0.01:.2f}", *vector, sep=",")


if __name__ == "__main__":
    main()
