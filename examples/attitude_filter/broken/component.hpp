// Attitude from a gyroscope, an accelerometer and a magnetometer: the port of
// ../python/attitude_filter.py. Earth frame: x north, y west, z up.
#pragma once

#include <cstdint>

#include "types.hpp"

namespace attitude_filter {

struct Vec3 {
    double x = 0.0, y = 0.0, z = 0.0;
};

// Turns body coordinates into earth coordinates.
struct Quaternion {
    double w = 1.0, x = 0.0, y = 0.0, z = 0.0;
};

class Component {
public:
    explicit Component(const Config& config);
    void step(const Inputs& inputs, Outputs& outputs);

private:
    void start(const Vec3& accelerometer, const Vec3& magnetometer, std::int64_t now_ns);
    void update(const Vec3& gyroscope, const Vec3& accelerometer, const Vec3& magnetometer,
                std::int64_t now_ns, double dt);
    Attitude attitude() const;

    Config config_;
    bool started_ = false;
    Quaternion orientation_;
    Vec3 bias_;              // rad/s
    double field_ut_ = 0.0;  // norm of the magnetic field at the start
    std::int64_t started_ns_ = 0;
    std::int64_t updated_ns_ = 0;
    bool aligning_ = true;
    bool accelerometer_ignored_ = false;
    bool magnetometer_ignored_ = false;
};

}  // namespace attitude_filter
