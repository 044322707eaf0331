"""Who is doing this. Every service that writes, and every guarded read, is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from backend.accounts.models import Patient


class Role(StrEnum):
    """What an account is. A clinician's own roles (therapist, on call ...) are on `Clinician`."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. `name` is set for the system's own jobs and empty for people.

    `own_patient` is the patient that a phone's account is, where it was read with the token;
    `access_own_patient` alone looks at it.
    """

    user_id: UUID | None
    role: Role
    device_id: UUID | None = None
    request_id: str = ""
    name: str = ""
    own_patient: Patient | None = field(default=None, compare=False, repr=False)

    @classmethod
    def system(cls, name: str) -> Actor:
        """The actor of a task or a sweep, named after it."""
        return cls(user_id=None, role=Role.SYSTEM, name=name)
