// Pushes a cart to where it is to be, with a limited force: the port of
// ../python/pd_controller.py.
#pragma once

#include "types.hpp"

namespace pd_controller {

class Component {
public:
    explicit Component(const Config& config);
    void step(const Inputs& inputs, Outputs& outputs);

private:
    Config config_;
};

}  // namespace pd_controller
