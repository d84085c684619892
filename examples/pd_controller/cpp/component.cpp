#include "component.hpp"

#include <algorithm>

namespace pd_controller {

Component::Component(const Config& config) : config_(config) {}

void Component::step(const Inputs& inputs, Outputs& outputs) {
    if (!inputs.state.has_value()) {
        return;
    }
    const State& state = *inputs.state;
    const double error = config_.target_m - state.position_m;
    const double damping = config_.derivative_gain * state.velocity_m_s;
    double force = config_.proportional_gain * error - damping;
    force = std::clamp(force, -config_.limit_n, config_.limit_n);
    outputs.control.write({force});
}

}  // namespace pd_controller
