"""The domain's errors. Each carries a stable code that clients may branch on.

Services raise these; only the HTTP layer knows which status they become.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field. `pointer` is a JSON pointer (RFC 6901) into the body."""

    pointer: str
    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


@dataclass(slots=True)
class DomainError(Exception):
    """An expected refusal. `code` is stable, `detail` is for people, `extra` joins the answer."""

    code: str
    detail: str
    problems: Sequence[FieldProblem] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        # The detail may quote what a person sent, so a log that prints an error gets the code.
        return self.code


class Invalid(DomainError):
    """What was sent cannot be accepted as it stands."""


class Unauthenticated(DomainError):
    """Nobody is signed in, or the token is no longer good."""


class Forbidden(DomainError):
    """This role never does this."""


class NotFound(DomainError):
    """Not there, or not yours: the two look the same on purpose."""


class Conflict(DomainError):
    """It clashes with what is stored; `extra` may carry the stored copy."""


class Gone(DomainError):
    """It existed and was removed for good."""


class PreconditionRequired(DomainError):
    """The request must say which revision it changes."""


class TooLarge(DomainError):
    """More bytes than this route reads."""


class UnsupportedMedia(DomainError):
    """Not a content type this route reads."""


@dataclass(slots=True)
class RateLimited(DomainError):
    """Too many tries. `retry_after` says when the next one is welcome."""

    retry_after: timedelta = timedelta(seconds=60)


def invalid_field(pointer: str, code: str, detail: str) -> Invalid:
    """An `Invalid` about exactly one field."""
    return Invalid("invalid_body", detail, problems=(FieldProblem(pointer, code, detail),))
