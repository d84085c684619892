//! Pushes a cart to where it is to be, with a limited force: the port of
//! `../python/pd_controller.py`.

use crate::types::{Config, Control, Inputs, Outputs};

pub struct Component {
    config: Config,
}

impl Component {
    pub fn new(config: &Config) -> Result<Self, String> {
        Ok(Self { config: config.clone() })
    }

    pub fn step(&mut self, inputs: &Inputs, outputs: &mut Outputs) -> Result<(), String> {
        let Some(state) = inputs.state.get() else { return Ok(()) };
        let Config { target_m, proportional_gain, derivative_gain, limit_n } = self.config;
        let error = target_m - state.position_m;
        let force = proportional_gain * error - derivative_gain * state.velocity_m_s;
        outputs.control.write(&Control { force_n: force.min(limit_n).max(-limit_n) })
    }
}
