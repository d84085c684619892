"""Attitude from a gyroscope, an accelerometer and a magnetometer.

Mahony's complementary filter on a quaternion. The gyroscope is integrated;
the accelerometer (which way is up) and the magnetometer (which way is west)
pull the result slowly back, and what they keep pulling at is taken to be the
gyroscope's bias.

R. Mahony, T. Hamel, J.-M. Pflimlin, "Nonlinear complementary filters on the
special orthogonal group", IEEE Transactions on Automatic Control 53(5), 2008.

Earth frame: x north, y west, z up. Quaternions are (w, x, y, z) and turn body
coordinates into earth coordinates.
"""

import math


class AttitudeFilter:
    def __init__(self, config):
        self.config = config
        self.orientation = None
        self.bias = (0.0, 0.0, 0.0)  # rad/s
        self.field_ut = 0.0  # norm of the magnetic field at the start
        self.started_ns = 0
        self.updated_ns = 0
        self.aligning = True
        self.accelerometer_ignored = False
        self.magnetometer_ignored = False

    def step(self, inputs):
        imu = inputs.imu
        if imu is None:
            return None
        gyroscope = tuple(math.radians(rate) for rate in xyz(imu.gyroscope_deg_s))
        accelerometer = xyz(imu.accelerometer_g)
        magnetometer = xyz(imu.magnetometer_ut)

        dt = (inputs.time_ns - self.updated_ns) * 1e-9
        if self.orientation is None or dt > self.config.gap_s:
            self.start(accelerometer, magnetometer, inputs.time_ns)
        else:
            self.update(gyroscope, accelerometer, magnetometer, inputs.time_ns, dt)
        self.updated_ns = inputs.time_ns
        return {"attitude": self.attitude()}

    def start(self, accelerometer, magnetometer, now_ns):
        """Takes the orientation from one sample, as if the body were at rest."""
        ax, ay, az = accelerometer
        mx, my, mz = magnetometer
        roll = math.atan2(ay, az)
        pitch = math.atan2(-ax, math.sqrt(ay * ay + az * az))
        # The magnetic field, turned back to level: its horizontal part is north.
        level_y = my * math.cos(roll) - mz * math.sin(roll)
        level_z = my * math.sin(roll) + mz * math.cos(roll)
        level_x = mx * math.cos(pitch) + level_z * math.sin(pitch)
        yaw = math.atan2(-level_y, level_x)

        self.orientation = quaternion_from_angles(roll, pitch, yaw)
        self.field_ut = norm(magnetometer)
        self.started_ns = now_ns
        self.aligning = True
        self.accelerometer_ignored = False
        self.magnetometer_ignored = False

    def update(self, gyroscope, accelerometer, magnetometer, now_ns, dt):
        config = self.config
        age_s = (now_ns - self.started_ns) * 1e-9
        self.aligning = age_s < config.alignment_s
        gain = config.proportional_gain
        if self.aligning:
            remaining = 1.0 - age_s / config.alignment_s
            gain += (config.alignment_gain - config.proportional_gain) * remaining

        # The rotation, in body coordinates, that would bring the orientation
        # to what the sensors say.
        error = (0.0, 0.0, 0.0)
        up = up_in_body(self.orientation)
        g = norm(accelerometer)
        self.accelerometer_ignored = abs(g - 1.0) > config.acceleration_tolerance_g
        if not self.accelerometer_ignored:
            error = add(error, cross(unit(accelerometer), up))

        field_ut = norm(magnetometer)
        self.magnetometer_ignored = abs(field_ut - self.field_ut) > config.magnetic_tolerance_ut
        if not self.magnetometer_ignored:
            # Up cross north is west. Only the heading is taken from it, so
            # that a wrong field can't tilt the body.
            west = unit(cross(up, magnetometer))
            error = add(error, cross(west, west_in_body(self.orientation)))

        if not self.aligning:
            self.bias = add(self.bias, scale(error, -config.integral_gain * dt))
        rate = add(subtract(gyroscope, self.bias), scale(error, gain))
        self.orientation = turn(self.orientation, rate, dt)

    def attitude(self):
        w, x, y, z = self.orientation
        # Elements of the rotation matrix. Pitch by atan2 stays accurate where
        # the body points straight up or down; asin doesn't.
        north_x = 1.0 - 2.0 * (y * y + z * z)
        west_x = 2.0 * (x * y + w * z)
        up_x, up_y, up_z = up_in_body(self.orientation)
        bias_x, bias_y, bias_z = self.bias
        return {
            "orientation": {"x": x, "y": y, "z": z, "w": w},
            "gyroscope_bias_deg_s": {
                "x": math.degrees(bias_x),
                "y": math.degrees(bias_y),
                "z": math.degrees(bias_z),
            },
            "roll_rad": math.atan2(up_y, up_z),
            "pitch_rad": math.atan2(-up_x, math.sqrt(north_x * north_x + west_x * west_x)),
            "yaw_rad": math.atan2(west_x, north_x),
            "aligning": self.aligning,
            "accelerometer_ignored": self.accelerometer_ignored,
            "magnetometer_ignored": self.magnetometer_ignored,
        }


def quaternion_from_angles(roll, pitch, yaw):
    """Yaw about z, then pitch about y, then roll about x."""
    cr, sr = math.cos(0.5 * roll), math.sin(0.5 * roll)
    cp, sp = math.cos(0.5 * pitch), math.sin(0.5 * pitch)
    cy, sy = math.cos(0.5 * yaw), math.sin(0.5 * yaw)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )


def up_in_body(q):
    w, x, y, z = q
    return (2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))


def west_in_body(q):
    w, x, y, z = q
    return (2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x))


def turn(q, rate, dt):
    """One first-order step of dq/dt = 1/2 q (0, rate), made a unit again."""
    w, x, y, z = q
    rx, ry, rz = scale(rate, 0.5 * dt)
    w, x, y, z = (
        w - x * rx - y * ry - z * rz,
        x + w * rx + y * rz - z * ry,
        y + w * ry - x * rz + z * rx,
        z + w * rz + x * ry - y * rx,
    )
    length = math.sqrt(w * w + x * x + y * y + z * z)
    return (w / length, x / length, y / length, z / length)


def xyz(v):
    return (v.x, v.y, v.z)


def add(a, b):
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def subtract(a, b):
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def scale(v, factor):
    return (v[0] * factor, v[1] * factor, v[2] * factor)


def cross(a, b):
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def norm(v):
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


def unit(v):
    """The direction of `v`; nothing for nothing."""
    length = norm(v)
    if length == 0.0:
        return v
    return (v[0] / length, v[1] / length, v[2] / length)
