//! Attitude from a gyroscope, an accelerometer and a magnetometer: the port of
//! `../python/attitude_filter.py`. Earth frame: x north, y west, z up.

use crate::types::{Attitude, Config, Inputs, Outputs, Quaternion, Vector3};

type Vec3 = [f64; 3];

/// Turns body coordinates into earth coordinates.
#[derive(Clone, Copy)]
struct Rotation {
    w: f64,
    x: f64,
    y: f64,
    z: f64,
}

pub struct Component {
    config: Config,
    /// Nothing before the first sample.
    orientation: Option<Rotation>,
    /// In rad/s.
    bias: Vec3,
    /// Norm of the magnetic field at the start.
    field_ut: f64,
    started_ns: i64,
    updated_ns: i64,
    aligning: bool,
    accelerometer_ignored: bool,
    magnetometer_ignored: bool,
}

impl Component {
    pub fn new(config: &Config) -> Result<Self, String> {
        Ok(Self {
            config: config.clone(),
            orientation: None,
            bias: [0.0; 3],
            field_ut: 0.0,
            started_ns: 0,
            updated_ns: 0,
            aligning: true,
            accelerometer_ignored: false,
            magnetometer_ignored: false,
        })
    }

    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), String> {
        let Some(imu) = inputs.imu.get() else { return Ok(()) };
        let gyroscope = array(&imu.gyroscope_deg_s).map(f64::to_radians);
        let accelerometer = array(&imu.accelerometer_g);
        let magnetometer = array(&imu.magnetometer_ut);

        let dt = (inputs.time_ns - self.updated_ns) as f64 * 1e-9;
        let orientation = match self.orientation {
            Some(current) if dt <= self.config.gap_s => {
                self.update(current, gyroscope, accelerometer, magnetometer, inputs.time_ns, dt)
            }
            _ => self.start(accelerometer, magnetometer, inputs.time_ns),
        };
        self.orientation = Some(orientation);
        self.updated_ns = inputs.time_ns;
        outputs.attitude.write(&self.attitude(orientation))
    }

    /// Takes the orientation from one sample, as if the body were at rest.
    fn start(&mut self, [ax, ay, az]: Vec3, magnetometer: Vec3, now_ns: i64) -> Rotation {
        let [mx, my, mz] = magnetometer;
        let roll = ay.atan2(az);
        let pitch = (-ax).atan2((ay * ay + az * az).sqrt());
        // The magnetic field, turned back to level: its horizontal part is north.
        let level_y = my * roll.cos() - mz * roll.sin();
        let level_z = my * roll.sin() + mz * roll.cos();
        let level_x = mx * pitch.cos() + level_z * pitch.sin();
        let yaw = (-level_y).atan2(level_x);

        self.field_ut = norm(magnetometer);
        self.started_ns = now_ns;
        self.aligning = true;
        self.accelerometer_ignored = false;
        self.magnetometer_ignored = false;
        Rotation::from_angles(roll, pitch, yaw)
    }

    fn update(
        &mut self,
        orientation: Rotation,
        gyroscope: Vec3,
        accelerometer: Vec3,
        magnetometer: Vec3,
        now_ns: i64,
        dt: f64,
    ) -> Rotation {
        let config = &self.config;
        let age_s = (now_ns - self.started_ns) as f64 * 1e-9;
        self.aligning = age_s < config.alignment_s;
        let mut gain = config.proportional_gain;
        if self.aligning {
            let remaining = 1.0 - age_s / config.alignment_s;
            gain += (config.alignment_gain - config.proportional_gain) * remaining;
        }

        // The rotation, in body coordinates, that would bring the orientation
        // to what the sensors say.
        let mut error = [0.0; 3];
        let up = orientation.up_in_body();
        let g = norm(accelerometer);
        self.accelerometer_ignored = (g - 1.0).abs() > config.acceleration_tolerance_g;
        if !self.accelerometer_ignored {
            error = add(error, cross(unit(accelerometer), up));
        }

        let field_ut = norm(magnetometer);
        self.magnetometer_ignored = (field_ut - self.field_ut).abs() > config.magnetic_tolerance_ut;
        if !self.magnetometer_ignored {
            // Up cross north is west. Only the heading is taken from it, so
            // that a wrong field can't tilt the body.
            let west = unit(cross(up, magnetometer));
            error = add(error, cross(west, orientation.west_in_body()));
        }

        if !self.aligning {
            self.bias = add(self.bias, scale(error, -config.integral_gain * dt));
        }
        let rate = add(subtract(gyroscope, self.bias), scale(error, gain));
        orientation.turn(rate, dt)
    }

    fn attitude(&self, q: Rotation) -> Attitude {
        // Elements of the rotation matrix. Pitch by atan2 stays accurate where
        // the body points straight up or down; asin doesn't.
        let north_x = 1.0 - 2.0 * (q.y * q.y + q.z * q.z);
        let west_x = 2.0 * (q.x * q.y + q.w * q.z);
        let [up_x, up_y, up_z] = q.up_in_body();
        let [bias_x, bias_y, bias_z] = self.bias.map(f64::to_degrees);
        Attitude {
            orientation: Quaternion { x: q.x, y: q.y, z: q.z, w: q.w },
            gyroscope_bias_deg_s: Vector3 { x: bias_x, y: bias_y, z: bias_z },
            roll_rad: up_y.atan2(up_z),
            pitch_rad: (-up_x).atan2((north_x * north_x + west_x * west_x).sqrt()),
            yaw_rad: west_x.atan2(north_x),
            aligning: self.aligning,
            accelerometer_ignored: self.accelerometer_ignored,
            magnetometer_ignored: self.magnetometer_ignored,
        }
    }
}

impl Rotation {
    /// Yaw about z, then pitch about y, then roll about x.
    fn from_angles(roll: f64, pitch: f64, yaw: f64) -> Self {
        let (sr, cr) = (0.5 * roll).sin_cos();
        let (sp, cp) = (0.5 * pitch).sin_cos();
        let (sy, cy) = (0.5 * yaw).sin_cos();
        Self {
            w: cr * cp * cy + sr * sp * sy,
            x: sr * cp * cy - cr * sp * sy,
            y: cr * sp * cy + sr * cp * sy,
            z: cr * cp * sy - sr * sp * cy,
        }
    }

    fn up_in_body(self) -> Vec3 {
        let Self { w, x, y, z } = self;
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)]
    }

    fn west_in_body(self) -> Vec3 {
        let Self { w, x, y, z } = self;
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)]
    }

    /// One first-order step of dq/dt = 1/2 q (0, rate), made a unit again.
    fn turn(self, rate: Vec3, dt: f64) -> Self {
        let Self { w, x, y, z } = self;
        let [rx, ry, rz] = scale(rate, 0.5 * dt);
        let next = Self {
            w: w - x * rx - y * ry - z * rz,
            x: x + w * rx + y * rz - z * ry,
            y: y + w * ry - x * rz + z * rx,
            z: z + w * rz + x * ry - y * rx,
        };
        let Self { w, x, y, z } = next;
        let length = (w * w + x * x + y * y + z * z).sqrt();
        Self { w: w / length, x: x / length, y: y / length, z: z / length }
    }
}

fn array(v: &Vector3) -> Vec3 {
    [v.x, v.y, v.z]
}

fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn subtract(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn scale(v: Vec3, factor: f64) -> Vec3 {
    v.map(|x| x * factor)
}

fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(v: Vec3) -> f64 {
    (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt()
}

/// The direction of `v`; nothing for nothing.
fn unit(v: Vec3) -> Vec3 {
    let length = norm(v);
    if length == 0.0 { v } else { v.map(|x| x / length) }
}
