// The direction of a vector: the port of ../python/vector_normalizer.py.
#pragma once

#include "types.hpp"

namespace vector_normalizer {

class Component {
public:
    void step(const Inputs& inputs, Outputs& outputs);
};

}  // namespace vector_normalizer
