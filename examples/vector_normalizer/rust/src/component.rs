//! The direction of a vector: the port of `../python/vector_normalizer.py`.

use crate::types::{Inputs, Outputs, Vec3};

pub struct Component;

impl Component {
    pub fn new() -> Result<Self, String> {
        Ok(Self)
    }

    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), String> {
        let Some(v) = inputs.vector.get() else { return Ok(()) };
        // Scaled first, so that the squares of huge and of tiny components
        // neither overflow nor vanish.
        let largest = v.x.abs().max(v.y.abs()).max(v.z.abs());
        if largest == 0.0 {
            return outputs.unit.write(v);
        }
        let (x, y, z) = (v.x / largest, v.y / largest, v.z / largest);
        let length = (x * x + y * y + z * z).sqrt();
        outputs.unit.write(&Vec3 { x: x / length, y: y / length, z: z / length })
    }
}
