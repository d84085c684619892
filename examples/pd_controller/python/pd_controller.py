"""Pushes a cart to where it is to be: proportional and derivative gain, limited."""


class PDController:
    def __init__(self, config):
        self.config = config

    def step(self, inputs):
        state = inputs.state
        if state is None:
            return None
        config = self.config
        error = config.target_m - state.position_m
        force = config.proportional_gain * error - config.derivative_gain * state.velocity_m_s
        return {"control": {"force_n": max(-config.limit_n, min(config.limit_n, force))}}
