#!/usr/bin/env python3
"""Prints what a cart does under the controller, as CSV: 20 episodes of a second.

    python3 simulate.py > inputs.csv

Each starts somewhere else on the rail, at another speed; the first ones near
the target, where the force stays below its limit. The same seed gives the same
file on every machine: there is nothing but + - * / in it.
"""

import random
import sys
from types import SimpleNamespace

sys.path.insert(0, "python")
from pd_controller import PDController  # noqa: E402

SEED = 7
EPISODES = 20
STEPS = 100
PERIOD_S = 0.01
PAUSE_S = 1.0
MASS_KG = 2.0
FRICTION_N_S_M = 1.5

# The defaults of msg/Config.msg.
CONFIG = SimpleNamespace(target_m=1.0, proportional_gain=40.0, derivative_gain=12.0, limit_n=10.0)


def main():
    draw = random.Random(SEED)
    controller = PDController(CONFIG)
    print("time_s,position_m,velocity_m_s")
    for episode in range(EPISODES):
        spread = (episode + 1) / EPISODES
        position = CONFIG.target_m + spread * draw.uniform(-1.0, 1.0)
        velocity = spread * draw.uniform(-1.5, 1.5)
        start_s = episode * (STEPS * PERIOD_S + PAUSE_S)
        for step in range(STEPS):
            print(f"{start_s + step * PERIOD_S:.2f}", position, velocity, sep=",")
            state = SimpleNamespace(position_m=position, velocity_m_s=velocity)
            force = controller.step(SimpleNamespace(state=state))["control"]["force_n"]
            velocity += (force - FRICTION_N_S_M * velocity) / MASS_KG * PERIOD_S
            position += velocity * PERIOD_S


if __name__ == "__main__":
    main()
