"""Who acts, as PostgreSQL's row-level security is told it.

The database engine reads this for each statement and tells it in the transaction around it, so no
caller can forget. Where nobody is named, a table with a patient shows no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

SYSTEM = "system"
_ROLE = re.compile(r"[a-z]{1,16}")


@dataclass(frozen=True, slots=True)
class Acting:
    """`role` and `user_id` are those of `Actor`; `patient_id` is a patient's own.

    `statements` make the three settings hold until the transaction ends; `values` are theirs. They
    are sent as they stand, so they are made of words and ids alone. Raises ValueError for anything
    else.
    """

    role: str
    user_id: UUID | None = None
    patient_id: UUID | None = None
    statements: bytes = field(init=False, repr=False, compare=False)
    values: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        settings = self.settings()
        object.__setattr__(self, "statements", _set_local(settings))
        object.__setattr__(self, "values", tuple(v.encode() for v in settings.values()))

    def settings(self) -> dict[str, str]:
        """What the policies read, by name."""
        ids = {"handrail.user_id": self.user_id, "handrail.patient_id": self.patient_id}
        if not _ROLE.fullmatch(self.role):
            raise ValueError("a role is a word of small letters")
        if not all(value is None or isinstance(value, UUID) for value in ids.values()):
            raise ValueError("an id is a UUID")
        return {
            "handrail.role": self.role,
            **{name: str(value or "") for name, value in ids.items()},
        }


def _set_local(settings: Mapping[str, str]) -> bytes:
    # Not by a SELECT: after one, a transaction's isolation can no longer be chosen.
    return "; ".join(f"SET LOCAL {name} TO '{value}'" for name, value in settings.items()).encode()


NOBODY = _set_local(dict.fromkeys(("handrail.role", "handrail.user_id", "handrail.patient_id"), ""))
"""Takes back within a transaction what was told before."""

_current: ContextVar[Acting | None] = ContextVar("acting", default=None)


def current() -> Acting | None:
    """Who acts in this thread; None where nobody has been named."""
    return _current.get()


def act_as(acting: Acting) -> None:
    """From here on, until the request or the job around it ends."""
    _current.set(acting)


@contextmanager
def acting_as(acting: Acting | None) -> Iterator[None]:
    """For one block; whoever acted before acts again after it. None is nobody."""
    token = _current.set(acting)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def acting_as_system(name: str) -> Iterator[None]:
    """For what no account does, or what has to look past one's own rows: every row is shown.

    `name` says which act that is. The few places are counted by a test.
    """
    if not name:
        raise ValueError("say which act of the system this is")
    with acting_as(_SYSTEM):
        yield


_SYSTEM = Acting(SYSTEM)
