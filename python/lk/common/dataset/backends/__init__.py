"""Where a dataset's values live: memory, MCAP files, pickles."""

from .base import DatasetBackend
from .mcap import McapBackend
from .memory import MemoryBackend
from .pickle_backend import PickleBackend

__all__ = ["DatasetBackend", "McapBackend", "MemoryBackend", "PickleBackend"]
