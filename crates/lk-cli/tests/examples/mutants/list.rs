//! Small mistakes that a port could have: each is one exact replacement in a
//! file of `examples/attitude_filter/cpp`.

/// One mistake.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    /// Found exactly once in the file.
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// Why no output can show it; `None` where verify must catch it.
    pub(crate) harmless: Option<&'static str>,
}

const fn caught(name: &'static str, from: &'static str, to: &'static str) -> Mutant {
    Mutant { name, file: "component.cpp", from, to, harmless: None }
}

const fn harmless(
    name: &'static str,
    from: &'static str,
    to: &'static str,
    reason: &'static str,
) -> Mutant {
    Mutant { name, file: "component.cpp", from, to, harmless: Some(reason) }
}

const fn in_header(mutant: Mutant) -> Mutant {
    Mutant { file: "component.hpp", ..mutant }
}

pub(crate) const MUTANTS: &[Mutant] = &[
    // Vectors and quaternions.
    caught("pi to nine digits", "3.14159265358979323846", "3.14159265"),
    caught("cross: sign", "a.y * b.z - a.z * b.y", "a.y * b.z + a.z * b.y"),
    caught("cross: index", "a.z * b.x - a.x * b.z", "a.z * b.x - a.x * b.y"),
    caught("norm: z left out", "v.x * v.x + v.y * v.y + v.z * v.z", "v.x * v.x + v.y * v.y"),
    caught("unit: times length", "v * (1.0 / length)", "v * length"),
    harmless(
        "unit: zero unguarded",
        "length == 0.0 ? v : v * (1.0 / length)",
        "v * (1.0 / length)",
        "only a field exactly along the body's up has no west, and none of these is",
    ),
    caught("up: sign", "2.0 * (q.x * q.z - q.w * q.y)", "2.0 * (q.x * q.z + q.w * q.y)"),
    caught("up: index", "2.0 * (q.x * q.x + q.y * q.y)", "2.0 * (q.x * q.x + q.z * q.z)"),
    caught("west: sign", "2.0 * (q.y * q.z - q.w * q.x)", "2.0 * (q.y * q.z + q.w * q.x)"),
    caught("west: constant", "1.0 - 2.0 * (q.x * q.x + q.z", "1.0 - 2.1 * (q.x * q.x + q.z"),
    caught("angles: pitch not halved", "sp = std::sin(0.5 * pitch)", "sp = std::sin(pitch)"),
    caught("angles: sign", "cr * cp * sy - sr * sp * cy", "cr * cp * sy + sr * sp * cy"),
    caught("turn: sign", "+ q.y * r.z - q.z * r.y", "+ q.y * r.z + q.z * r.y"),
    caught("turn: index", "- q.x * r.z + q.z * r.x", "- q.x * r.z + q.z * r.y"),
    caught("turn: half forgotten", "rate * (0.5 * dt)", "rate * dt"),
    caught("turn: z not shrunk", "    next.z *= shrink;\n", ""),
    caught(
        "turn: length without z",
        "next.y * next.y + next.z * next.z)",
        "next.y * next.y + next.y * next.z)",
    ),
    // Time and state.
    caught("step: constant dt", "(inputs.time_ns - updated_ns_) * 1e-9", "(10000000) * 1e-9"),
    caught("step: microseconds", "updated_ns_) * 1e-9", "updated_ns_) * 1e-6"),
    caught("step: time not kept", "    updated_ns_ = inputs.time_ns;\n", ""),
    caught("step: never restarts", "!started_ || dt > config_.gap_s", "!started_"),
    harmless(
        "step: gap or more",
        "dt > config_.gap_s",
        "dt >= config_.gap_s",
        "no two samples are exactly gap_s apart",
    ),
    caught("start: roll", "std::atan2(a.y, a.z)", "std::atan2(a.z, a.y)"),
    caught("start: pitch sign", "std::atan2(-a.x,", "std::atan2(a.x,"),
    caught("start: level y sign", "- m.z * std::sin(roll)", "+ m.z * std::sin(roll)"),
    caught("start: level z index", "m.y * std::sin(roll) +", "m.x * std::sin(roll) +"),
    caught("start: level x", "level_z * std::sin(pitch)", "level_z * std::cos(pitch)"),
    caught("start: yaw sign", "std::atan2(-level_y, level_x)", "std::atan2(level_y, level_x)"),
    caught("start: field not kept", "    field_ut_ = norm(m);\n", ""),
    caught("start: time not kept", "    started_ns_ = now_ns;\n", ""),
    caught("start: not aligning again", "    aligning_ = true;\n", ""),
    caught("start: accelerometer flag stays", "    accelerometer_ignored_ = false;\n", ""),
    caught("start: magnetometer flag stays", "    magnetometer_ignored_ = false;\n", ""),
    caught(
        "start: bias forgotten",
        "    started_ = true;\n",
        "    started_ = true;\n    bias_ = Vector3();\n",
    ),
    // Gains and errors.
    caught("update: age from zero", "(now_ns - started_ns_) * 1e-9", "(now_ns) * 1e-9"),
    harmless(
        "update: alignment one sample longer",
        "age_s < config_.alignment_s",
        "age_s <= config_.alignment_s",
        "no sample comes exactly alignment_s after a start",
    ),
    caught("update: ramp upside down", "1.0 - age_s / config_", "age_s / config_"),
    caught("update: ramp without floor", "gain += (config_", "gain = (config_"),
    caught(
        "update: ramp from the sum",
        "(config_.alignment_gain - config_.proportional_gain)",
        "(config_.alignment_gain + config_.proportional_gain)",
    ),
    caught("update: gravity of 1.01 g", "g - 1.0)", "g - 1.01)"),
    caught("update: too light passes", "std::abs(g - 1.0)", "(g - 1.0)"),
    caught(
        "update: accelerometer test reversed",
        "> config_.acceleration_tolerance_g",
        "< config_.acceleration_tolerance_g",
    ),
    harmless(
        "update: accelerometer test inclusive",
        "> config_.acceleration_tolerance_g",
        ">= config_.acceleration_tolerance_g",
        "no sample is exactly at the threshold",
    ),
    caught(
        "update: cross reversed",
        "cross(unit(accelerometer), up)",
        "cross(up, unit(accelerometer))",
    ),
    caught("update: accelerometer not unit", "unit(accelerometer)", "accelerometer"),
    caught("update: weak field passes", "std::abs(field_ut - field_ut_)", "(field_ut - field_ut_)"),
    caught("update: field against 40 uT", "field_ut - field_ut_", "field_ut - 40.0"),
    caught("update: west is east", "cross(up, magnetometer)", "cross(magnetometer, up)"),
    caught("update: west not unit", "unit(cross(up, magnetometer))", "cross(up, magnetometer)"),
    caught(
        "update: accelerometer's error lost",
        "error = error + cross(west,",
        "error = cross(west,",
    ),
    caught("update: bias during alignment", "if (!aligning_) {", "if (true) {"),
    caught("update: bias sign", "bias_ - error * (config_", "bias_ + error * (config_"),
    caught("update: bias without dt", "(config_.integral_gain * dt)", "(config_.integral_gain)"),
    caught("update: bias added", "gyroscope - bias_ + error", "gyroscope + bias_ + error"),
    caught("update: ramp unused", "error * gain", "error * config_.proportional_gain"),
    caught(
        "update: turned before the bias",
        "gyroscope - bias_ + error * gain",
        "gyroscope - (bias_ + error * (aligning_ ? 0.0 : config_.integral_gain * dt)) + error * gain",
    ),
    // What is written.
    caught(
        "attitude: swapped",
        "message.orientation = q;",
        "message.orientation = q;\n    std::swap(message.orientation.x, message.orientation.y);",
    ),
    caught("attitude: bias in radians", "bias_ * (1.0 / kRadPerDeg)", "bias_"),
    caught("attitude: flag of the other", "= accelerometer_ignored_;", "= magnetometer_ignored_;"),
    caught("attitude: pitch sign", "std::atan2(-up.x,", "std::atan2(up.x,"),
    caught(
        "attitude: pitch of the root",
        "north_x * north_x + west_x",
        "north_x * north_x - west_x",
    ),
    caught("attitude: yaw", "std::atan2(west_x, north_x)", "std::atan2(north_x, west_x)"),
    // Initial values.
    in_header(caught("initial: started", "bool started_ = false", "bool started_ = true")),
    in_header(caught("initial: bias", "Vector3 bias_;", "Vector3 bias_{1e-9, 0.0, 0.0};")),
    in_header(harmless(
        "initial: field",
        "double field_ut_ = 0.0",
        "double field_ut_ = 50.0",
        "it is set at the start, and read after",
    )),
    in_header(harmless(
        "initial: time of the last update",
        "updated_ns_ = 0",
        "updated_ns_ = 1",
        "the first dt isn't used",
    )),
];
