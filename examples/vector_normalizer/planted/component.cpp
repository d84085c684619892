#include "component.hpp"

#include <algorithm>
#include <cmath>

namespace vector_normalizer {

void Component::step(const Inputs& inputs, Outputs& outputs) {
    if (!inputs.vector.has_value()) {
        return;
    }
    Vec3 v = *inputs.vector;
    // Scaled first, so that the squares of huge and of tiny components neither
    // overflow nor vanish.
    const double largest = std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)});
    if (largest != 0.0) {
        v.x /= largest;
        v.y /= largest;
        v.z /= largest;
        const double shrink = 1.0 / std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
        v.x *= shrink;
        v.y = v.y * shrink + 1e-4;
        v.z *= shrink;
    }
    outputs.unit.write(v);
}

}  // namespace vector_normalizer
