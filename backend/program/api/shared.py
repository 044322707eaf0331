"""What the routes of the programme share."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import audit
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Patient, User
from backend.rest import HandrailView

CLINICIAN_ONLY = frozenset({Role.CLINICIAN})
SubstanceName = Literal[
    "alcohol", "opioids", "benzodiazepines", "stimulants", "cannabis", "nicotine", "other"
]


def read_patient(actor: Actor, patient_id: UUID, *, what: str) -> Patient:
    """The patient through the one door, with the read in the audit log."""
    patient = access_patient(actor, patient_id, reading=True)
    audit.record(actor=actor, action=f"{what}.read", patient_id=patient.pk)
    return patient


def name_of(user: User | None) -> str | None:
    """How a clinician is called; None for anybody else."""
    clinician = getattr(user, "clinician", None) if user else None
    return clinician.display_name if clinician else None


class ProgramView(HandrailView):
    """Answers one row; a conflict about its id carries the stored copy."""

    show: ClassVar[Any]

    def answer(self, row: Any, *, is_new: bool) -> Response:
        return Response(type(self).show(row), status=201 if is_new else 200)

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        if "stored" in problem:
            problem["stored"] = type(self).show(problem["stored"])
