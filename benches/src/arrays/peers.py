"""Peers of the comparison of arrays: reads the name of one, compares, answers."""

import sys

import numpy
import polars
import polars.testing
import xarray
import xarray.testing

n = int(sys.argv[1])
apart, atol, rtol = map(float, sys.argv[2:])
random, noise = numpy.random.default_rng(1), numpy.random.default_rng(2)
a = random.uniform(-1.0, 1.0, n)
b = a + apart * noise.uniform(-1.0, 1.0, n)
xa, xb = xarray.DataArray(a), xarray.DataArray(b)
pa, pb = polars.Series(a), polars.Series(b)


def assert_allclose():
    numpy.testing.assert_allclose(b, a, rtol=rtol, atol=atol)
    return True


def with_xarray():
    xarray.testing.assert_allclose(xa, xb, rtol=rtol, atol=atol)
    return True


def with_polars():
    polars.testing.assert_series_equal(pa, pb, rel_tol=rtol, abs_tol=atol)
    return True


PEERS = {
    "array_equal": lambda: numpy.array_equal(a, b),
    "assert_allclose": assert_allclose,
    "xarray": with_xarray,
    "polars": with_polars,
}

print("ready", flush=True)
for line in sys.stdin:
    print("equal" if PEERS[line.strip()]() else "different", flush=True)
