"""Environments: what agents act in."""

from __future__ import annotations

from typing import Any

from lk.common.agent import Agent
from lk.common.component import Component
from lk.common.port import InputPort, OutputPort
from lk.msgs.msg import Action, Done, Info, Observation, Reward

__all__ = ["Env"]


class Env(Component):
    """A component that answers an action with what follows from it.

    A subclass writes :meth:`reset` and :meth:`act_on`. In a system the connection back
    from the agent has to be delayed; the first step of an episode resets.
    """

    action = InputPort("action", Action)
    observation = OutputPort("observation", Observation)
    reward = OutputPort("reward", Reward)
    done = OutputPort("done", Done)
    info = OutputPort("info", Info)

    _ended = True

    def reset(self, seed: int | None = None) -> Observation:
        """Begins an episode and returns what is seen first; with a seed the same each
        time."""
        raise NotImplementedError(f"{type(self).__name__} has no reset")

    def act_on(self, action: Action) -> tuple[Observation, Reward, Done, Info]:
        """Goes on by one step."""
        raise NotImplementedError(f"{type(self).__name__} has no act_on")

    def forward(self, action: Action | None = None) -> dict[str, Any]:
        if self._ended or action is None:
            self._ended = False
            return {"observation": self.reset(), "done": Done(False)}
        observation, reward, done, info = self.act_on(action)
        self._ended = done.value or done.truncated
        return {"observation": observation, "reward": reward, "done": done, "info": info}

    def run_episode(self, agent: Agent, seed: int | None = None, max_steps: int = 1000) -> float:
        """Lets an agent act until the episode ends, or for so many steps; the sum of
        its rewards."""
        agent.reset()
        observation, total = self.reset(seed), 0.0
        for _ in range(max_steps):
            observation, reward, done, _ = self.act_on(agent.act(observation))
            total += reward.value
            if done.value or done.truncated:
                break
        return total
