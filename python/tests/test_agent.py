"""Agents and environments, by hand and in a system."""

import numpy as np
import pytest

import lk
from lk.common.agent import Agent
from lk.common.env import Env
from lk.common.system import System
from lk.msgs.msg import Action, Done, Info, Observation, Reward


class Walk(Env):
    """Steps to the right until 3."""

    at = 0

    def reset(self, seed: int | None = None) -> Observation:
        self.at = 0
        return Observation(np.array([0.0]))

    def act_on(self, action: Action) -> tuple[Observation, Reward, Done, Info]:
        self.at += action.data
        return Observation(np.array([float(self.at)])), Reward(1.0), Done(self.at >= 3), Info()


class Right(Agent):
    def act(self, observation: Observation) -> Action:
        return Action(1)


def test_an_episode_goes_on_until_it_is_done() -> None:
    assert Walk().run_episode(Right()) == 3.0
    assert Walk().run_episode(Right(), max_steps=2) == 2.0


def test_agent_and_environment_run_in_a_system_and_begin_again() -> None:
    env, agent = Walk("env"), Right("agent")
    system = System(components=[env, agent])
    system.connect(env.observation, agent.observation)
    system.connect(agent.action, env.action, delayed=True)
    seen = []
    for _ in range(6):
        system.step()
        assert env.observation.value is not None and env.done.value is not None
        seen.append((env.observation.value.data[0], env.done.value.value))
    assert seen == [(0, False), (1, False), (2, False), (3, True), (0, False), (1, False)]


def test_they_are_there_under_lk() -> None:
    assert lk.Agent is Agent and lk.Env is Env


def test_what_a_subclass_has_to_write_is_said() -> None:
    with pytest.raises(NotImplementedError, match="Agent has no act"):
        Agent()(Observation(1))
    with pytest.raises(NotImplementedError, match="Env has no reset"):
        Env().forward()
