"""Agents: components that see and act."""

from __future__ import annotations

from typing import Any

from lk.common.component import Component
from lk.common.port import InputPort, OutputPort
from lk.msgs.msg import Action, Done, Info, Observation, Reward

__all__ = ["Agent"]


class Agent(Component):
    """A component that turns an observation into an action.

    A subclass writes :meth:`act`. What came of the last action is at the inputs
    ``reward``, ``done`` and ``info`` where an environment is connected.
    """

    observation = InputPort("observation", Observation)
    reward = InputPort("reward", Reward)
    done = InputPort("done", Done)
    info = InputPort("info", Info)
    action = OutputPort("action", Action)

    def act(self, observation: Observation) -> Action:
        """The action for an observation."""
        raise NotImplementedError(f"{type(self).__name__} has no act")

    def reset(self) -> None:
        """Called where a new episode begins."""

    def forward(self, observation: Observation) -> Any:
        return self.act(observation)
