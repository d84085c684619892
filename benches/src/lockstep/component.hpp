#pragma once

#include "types.hpp"

namespace lockstep {

class Component {
public:
    void step(const Inputs& inputs, Outputs& outputs);
};

}  // namespace lockstep
