"""What lk raises. What can be done about it rides as a note."""

from __future__ import annotations


class Error(Exception):
    """Anything that went wrong in lk."""


class DatasetMismatch(Error, AssertionError):
    """Two datasets that were asserted to be equal are not."""


class SchemaError(Error, TypeError):
    """A value or a class that no message type holds; names the field."""


class PolicyError(Error, ValueError):
    """A tolerance or a rule of a comparison that makes no sense."""


class CandidateError(Error, RuntimeError):
    """A component that did not run to the end."""


def hinted(error: Error, hint: str) -> Error:
    """The error with a note that says what to do."""
    error.add_note(f"hint: {hint}")
    return error
