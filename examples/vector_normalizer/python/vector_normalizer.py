"""The direction of a vector: the same vector at length one."""

import math


class VectorNormalizer:
    def step(self, inputs):
        v = inputs.vector
        # Scaled first, so that the squares of huge and of tiny components
        # neither overflow nor vanish.
        largest = max(abs(v.x), abs(v.y), abs(v.z))
        if largest == 0.0:
            return {"unit": v}
        x, y, z = v.x / largest, v.y / largest, v.z / largest
        length = math.sqrt(x * x + y * y + z * z)
        return {"unit": {"x": x / length, "y": y / length, "z": z / length}}
