"""Configurations: dataclasses of settings, from and to dictionaries."""

from __future__ import annotations

from typing import Any, TypeVar

from lk.msgs.msg import Msg

__all__ = ["Config", "SystemConfig", "make_config"]

C = TypeVar("C")


class Config(Msg):
    """Base of configurations: a dataclass with ``to_dict`` and ``from_dict``.

    A component's nested ``Config`` may be any dataclass; this base adds the way
    from dictionaries, with checked names and types.
    """


class SystemConfig(Config):
    """How a system runs."""

    name: str = "system"
    #: Steps per second; None for as fast as possible.
    rate_hz: float | None = None
    #: After so many steps a run ends.
    max_iterations: int | None = None
    #: Whether it logs what it does at the level INFO rather than DEBUG.
    verbose: bool = False
    #: Whether ``configure`` refuses a graph with issues.
    validate_graph: bool = True


def make_config(config_type: type[C], config: Any, owner: str) -> C:
    """A configuration of this type: as it is, of a dictionary, or the default.

    Raises:
        TypeError: for a setting that there isn't, or something else altogether.
    """
    if config is None:
        return config_type()
    if isinstance(config, dict):
        if issubclass(config_type, Msg):
            return config_type.from_dict(config)
        try:
            return config_type(**config)
        except TypeError as error:
            raise TypeError(f"config of {owner}: {error}") from error
    # Any other object with the settings as attributes is taken as it is, so
    # that components can share one.
    known: C = config
    return known
