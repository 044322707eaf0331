"""Who is doing this. Every service that writes, and every guarded read, is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an account is. A clinician's own roles (therapist, on call ...) are on `Clinician`."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. `name` is set for the system's own jobs and empty for people."""

    user_id: UUID | None
    role: Role
    device_id: UUID | None = None
    request_id: str = ""
    name: str = ""

    @classmethod
    def system(cls, name: str) -> Actor:
        """The actor of a task or a sweep, named after it."""
        return cls(user_id=None, role=Role.SYSTEM, name=name)
