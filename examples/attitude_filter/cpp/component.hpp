// Attitude from a gyroscope, an accelerometer and a magnetometer: the port of
// ../python/attitude_filter.py. Earth frame: x north, y west, z up.
#pragma once

#include <cstdint>

#include "types.hpp"

namespace attitude_filter {

class Component {
public:
    explicit Component(const Config& config);
    void step(const Inputs& inputs, Outputs& outputs);

private:
    void start(const Vector3& accelerometer, const Vector3& magnetometer, std::int64_t now_ns);
    void update(const Vector3& gyroscope, const Vector3& accelerometer,
                const Vector3& magnetometer, std::int64_t now_ns, double dt);
    Attitude attitude() const;

    Config config_;
    bool started_ = false;
    Quaternion orientation_;  // earth from body
    Vector3 bias_;            // rad/s
    double field_ut_ = 0.0;   // norm of the magnetic field at the start
    std::int64_t started_ns_ = 0;
    std::int64_t updated_ns_ = 0;
    bool aligning_ = true;
    bool accelerometer_ignored_ = false;
    bool magnetometer_ignored_ = false;
};

}  // namespace attitude_filter
