#!/usr/bin/env python3
"""Simulates what a nine-axis sensor would measure, as CSV on standard output.

    python3 simulate.py > inputs.csv

The same seed gives the same file. The body rests for six seconds, turns about
every axis, shakes, comes near a piece of iron, and at last knocks against it,
which costs the recording 0.8 s. The gyroscope has a bias, every sensor noise
and a resolution, the clock jitters, and the magnetometer is slower than the
rest and holds its last value.
"""

import math
import random

SEED = 2008
DURATION_S = 48.0
GYROSCOPE_BIAS_DEG_S = (0.8, -0.5, 1.2)
FIELD_UT = (20.0, 0.0, -40.0)  # north, west, up: somewhere in Europe
MAGNETOMETER_PERIOD_S = 0.05
DROPOUT_S = (30.0, 30.8)

# Steps of one count, powers of two as in 16-bit sensors.
GYROSCOPE_LSB_DEG_S = 1.0 / 64.0
ACCELEROMETER_LSB_G = 1.0 / 4096.0
MAGNETOMETER_LSB_UT = 1.0 / 8.0


def pulse(t, start, end):
    """A smooth bump from 0 to 1 and back, mean 1/2."""
    if not start < t < end:
        return 0.0
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * (t - start) / (end - start))


def true_rate_deg_s(t):
    roll = 60.0 * pulse(t, 7.0, 10.0) - 90.0 * pulse(t, 10.5, 12.5) + 20.0 * pulse(t, 32.0, 35.0)
    pitch = -70.0 * pulse(t, 13.0, 15.0) + 70.0 * pulse(t, 15.5, 17.5)
    yaw = -150.0 * pulse(t, 17.5, 19.5) + 100.0 * pulse(t, 22.0, 25.0) + 45.0 * pulse(t, 36.0, 39.0)
    if t > 6.0:  # the wobble of a thing that is held
        roll += 6.0 * math.sin(2.1 * t)
        pitch += 5.0 * math.cos(1.7 * t)
        yaw += 4.0 * math.sin(0.9 * t)
    return (roll, pitch, yaw)


def knock(t):
    return pulse(t, 29.7, 30.3)


def acceleration_g(t):
    """Of the body, in the earth frame, gravity aside."""
    shake = 0.6 * pulse(t, 19.0, 21.0) * math.sin(25.0 * t)
    return (
        shake + 0.5 * pulse(t, 41.0, 42.5),
        0.3 * pulse(t, 19.5, 20.5),
        0.5 * knock(t) - 0.4 * pulse(t, 12.0, 12.8),
    )


def disturbance_ut(t):
    """A piece of iron beside the sensor, in the body frame."""
    near = pulse(t, 24.0, 29.0) - knock(t)
    return (18.0 * near, -9.0 * near, -12.0 * near)


def main():
    noise = random.Random(SEED)
    q = from_yaw_pitch_roll(0.7, -0.05, 0.09)
    t = 0.0
    held = None
    held_until_s = 0.0
    print(
        "time_s,"
        "gyroscope_deg_s.x,gyroscope_deg_s.y,gyroscope_deg_s.z,"
        "accelerometer_g.x,accelerometer_g.y,accelerometer_g.z,"
        "magnetometer_ut.x,magnetometer_ut.y,magnetometer_ut.z"
    )
    while t < DURATION_S:
        gyroscope = [
            count(rate + bias + noise.gauss(0.0, 0.12), GYROSCOPE_LSB_DEG_S)
            for rate, bias in zip(true_rate_deg_s(t), GYROSCOPE_BIAS_DEG_S)
        ]
        ax, ay, az = acceleration_g(t)
        accelerometer = [
            count(a + noise.gauss(0.0, 0.004), ACCELEROMETER_LSB_G)
            for a in into_body(q, (ax, ay, az + 1.0))
        ]
        if t >= held_until_s:
            held_until_s += MAGNETOMETER_PERIOD_S
            held = [
                count(m + iron + noise.gauss(0.0, 0.3), MAGNETOMETER_LSB_UT)
                for m, iron in zip(into_body(q, FIELD_UT), disturbance_ut(t))
            ]
        if not DROPOUT_S[0] < t < DROPOUT_S[1]:
            print(f"{t:.6f}", *gyroscope, *accelerometer, *held, sep=",")

        # About 100 Hz; microseconds, as the sensor's own clock counts.
        dt = round(0.01 + noise.uniform(-0.0012, 0.0012), 6)
        q = turn(q, [math.radians(rate) for rate in true_rate_deg_s(t + 0.5 * dt)], dt)
        t = round(t + dt, 6)


def count(value, lsb):
    return round(value / lsb) * lsb


def from_yaw_pitch_roll(yaw, pitch, roll):
    q = (math.cos(0.5 * yaw), 0.0, 0.0, math.sin(0.5 * yaw))
    q = multiply(q, (math.cos(0.5 * pitch), 0.0, math.sin(0.5 * pitch), 0.0))
    return multiply(q, (math.cos(0.5 * roll), math.sin(0.5 * roll), 0.0, 0.0))


def turn(q, rate, dt):
    """Exact for a constant rate, unlike the filter's own integration."""
    angle = dt * math.sqrt(sum(r * r for r in rate))
    if angle == 0.0:
        return q
    s = math.sin(0.5 * angle) * dt / angle
    return multiply(q, (math.cos(0.5 * angle), rate[0] * s, rate[1] * s, rate[2] * s))


def multiply(p, q):
    return (
        p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3],
        p[0] * q[1] + p[1] * q[0] + p[2] * q[3] - p[3] * q[2],
        p[0] * q[2] - p[1] * q[3] + p[2] * q[0] + p[3] * q[1],
        p[0] * q[3] + p[1] * q[2] - p[2] * q[1] + p[3] * q[0],
    )


def into_body(q, v):
    """Earth coordinates of `v` to body coordinates."""
    w, x, y, z = multiply(multiply((q[0], -q[1], -q[2], -q[3]), (0.0, *v)), q)
    return (x, y, z)


if __name__ == "__main__":
    main()
