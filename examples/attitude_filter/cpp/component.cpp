#include "component.hpp"

#include <cmath>

namespace attitude_filter {
namespace {

constexpr double kRadPerDeg = 3.14159265358979323846 / 180.0;

Vector3 operator+(const Vector3& a, const Vector3& b) {
    return {a.x + b.x, a.y + b.y, a.z + b.z};
}

Vector3 operator-(const Vector3& a, const Vector3& b) {
    return {a.x - b.x, a.y - b.y, a.z - b.z};
}

Vector3 operator*(const Vector3& v, double factor) {
    return {v.x * factor, v.y * factor, v.z * factor};
}

Vector3 cross(const Vector3& a, const Vector3& b) {
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

double norm(const Vector3& v) {
    return std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
}

// The direction of `v`; nothing for nothing.
Vector3 unit(const Vector3& v) {
    const double length = norm(v);
    return length == 0.0 ? v : v * (1.0 / length);
}

Vector3 up_in_body(const Quaternion& q) {
    return {2.0 * (q.x * q.z - q.w * q.y),
            2.0 * (q.y * q.z + q.w * q.x),
            1.0 - 2.0 * (q.x * q.x + q.y * q.y)};
}

Vector3 west_in_body(const Quaternion& q) {
    return {2.0 * (q.x * q.y + q.w * q.z),
            1.0 - 2.0 * (q.x * q.x + q.z * q.z),
            2.0 * (q.y * q.z - q.w * q.x)};
}

// Yaw about z, then pitch about y, then roll about x.
Quaternion from_angles(double roll, double pitch, double yaw) {
    const double cr = std::cos(0.5 * roll), sr = std::sin(0.5 * roll);
    const double cp = std::cos(0.5 * pitch), sp = std::sin(0.5 * pitch);
    const double cy = std::cos(0.5 * yaw), sy = std::sin(0.5 * yaw);
    Quaternion q;
    q.w = cr * cp * cy + sr * sp * sy;
    q.x = sr * cp * cy - cr * sp * sy;
    q.y = cr * sp * cy + sr * cp * sy;
    q.z = cr * cp * sy - sr * sp * cy;
    return q;
}

// One first-order step of dq/dt = 1/2 q (0, rate), made a unit again.
Quaternion turn(const Quaternion& q, const Vector3& rate, double dt) {
    const Vector3 r = rate * (0.5 * dt);
    Quaternion next;
    next.w = q.w - q.x * r.x - q.y * r.y - q.z * r.z;
    next.x = q.x + q.w * r.x + q.y * r.z - q.z * r.y;
    next.y = q.y + q.w * r.y - q.x * r.z + q.z * r.x;
    next.z = q.z + q.w * r.z + q.x * r.y - q.y * r.x;
    const double shrink = 1.0 / std::sqrt(next.w * next.w + next.x * next.x +
                                          next.y * next.y + next.z * next.z);
    next.w *= shrink;
    next.x *= shrink;
    next.y *= shrink;
    next.z *= shrink;
    return next;
}

}  // namespace

Component::Component(const Config& config) : config_(config) {}

void Component::step(const Inputs& inputs, Outputs& outputs) {
    if (!inputs.imu.has_value()) {
        return;
    }
    const Vector3 gyroscope = inputs.imu->gyroscope_deg_s * kRadPerDeg;
    const Vector3& accelerometer = inputs.imu->accelerometer_g;
    const Vector3& magnetometer = inputs.imu->magnetometer_ut;

    const double dt = static_cast<double>(inputs.time_ns - updated_ns_) * 1e-9;
    if (!started_ || dt > config_.gap_s) {
        start(accelerometer, magnetometer, inputs.time_ns);
    } else {
        update(gyroscope, accelerometer, magnetometer, inputs.time_ns, dt);
    }
    updated_ns_ = inputs.time_ns;
    outputs.attitude.write(attitude());
}

// Takes the orientation from one sample, as if the body were at rest.
void Component::start(const Vector3& a, const Vector3& m, std::int64_t now_ns) {
    const double roll = std::atan2(a.y, a.z);
    const double pitch = std::atan2(-a.x, std::sqrt(a.y * a.y + a.z * a.z));
    // The magnetic field, turned back to level: its horizontal part is north.
    const double level_y = m.y * std::cos(roll) - m.z * std::sin(roll);
    const double level_z = m.y * std::sin(roll) + m.z * std::cos(roll);
    const double level_x = m.x * std::cos(pitch) + level_z * std::sin(pitch);
    const double yaw = std::atan2(-level_y, level_x);

    started_ = true;
    orientation_ = from_angles(roll, pitch, yaw);
    field_ut_ = norm(m);
    started_ns_ = now_ns;
    aligning_ = true;
    accelerometer_ignored_ = false;
    magnetometer_ignored_ = false;
}

void Component::update(const Vector3& gyroscope, const Vector3& accelerometer,
                       const Vector3& magnetometer, std::int64_t now_ns, double dt) {
    const double age_s = static_cast<double>(now_ns - started_ns_) * 1e-9;
    aligning_ = age_s < config_.alignment_s;
    double gain = config_.proportional_gain;
    if (aligning_) {
        const double remaining = 1.0 - age_s / config_.alignment_s;
        gain += (config_.alignment_gain - config_.proportional_gain) * remaining;
    }

    // The rotation, in body coordinates, that would bring the orientation to
    // what the sensors say.
    Vector3 error;
    const Vector3 up = up_in_body(orientation_);
    const double g = norm(accelerometer);
    accelerometer_ignored_ = std::abs(g - 1.0) > config_.acceleration_tolerance_g;
    if (!accelerometer_ignored_) {
        error = error + cross(unit(accelerometer), up);
    }

    const double field_ut = norm(magnetometer);
    magnetometer_ignored_ = std::abs(field_ut - field_ut_) > config_.magnetic_tolerance_ut;
    if (!magnetometer_ignored_) {
        // Up cross north is west. Only the heading is taken from it, so that a
        // wrong field can't tilt the body.
        const Vector3 west = unit(cross(up, magnetometer));
        error = error + cross(west, west_in_body(orientation_));
    }

    if (!aligning_) {
        bias_ = bias_ - error * (config_.integral_gain * dt);
    }
    const Vector3 rate = gyroscope - bias_ + error * gain;
    orientation_ = turn(orientation_, rate, dt);
}

Attitude Component::attitude() const {
    const Quaternion& q = orientation_;
    // Elements of the rotation matrix. Pitch by atan2 stays accurate where the
    // body points straight up or down; asin doesn't.
    const double north_x = 1.0 - 2.0 * (q.y * q.y + q.z * q.z);
    const double west_x = 2.0 * (q.x * q.y + q.w * q.z);
    const Vector3 up = up_in_body(q);

    Attitude message;
    message.orientation = q;
    message.gyroscope_bias_deg_s = bias_ * (1.0 / kRadPerDeg);
    message.roll_rad = std::atan2(up.y, up.z);
    message.pitch_rad = std::atan2(-up.x, std::sqrt(north_x * north_x + west_x * west_x));
    message.yaw_rad = std::atan2(west_x, north_x);
    message.aligning = aligning_;
    message.accelerometer_ignored = accelerometer_ignored_;
    message.magnetometer_ignored = magnetometer_ignored_;
    return message;
}

}  // namespace attitude_filter
