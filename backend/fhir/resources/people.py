"""Patient and CareTeam: one of each for a person, under the patient's own id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from fhir.resources.R4B.careteam import CareTeam
from fhir.resources.R4B.patient import Patient as PatientResource

from backend.accounts.models import CareTeamMember, Clinician, Patient
from backend.accounts.selectors import care_team_of
from backend.fhir.kinds import Found, Kind, Position, Reader, Search, as_uuid, concept
from backend.fhir.labels import META
from backend.fhir.selectors import patient_exists

ROLE = "urn:handrail:clinician-role"
WORDS = {
    "therapist": _("Therapist"),
    "case_manager": _("Case manager"),
    "on_call": _("On call"),
    "clinical_supervisor": _("Clinical supervisor"),
}


def _patient(reader: Reader) -> Any:
    patient = reader.patient
    name: dict[str, Any] = {"given": [patient.given_name]}
    if patient.family_name:
        name |= {"family": patient.family_name}
    organisation = {"display": patient.organisation.name}
    known = [{"value": patient.external_ref, "assigner": organisation}]
    return PatientResource.model_validate(
        {
            "id": str(patient.pk),
            "meta": META,
            "identifier": known if patient.external_ref else None,
            "active": patient.is_active,
            "name": [name],
            "birthDate": patient.born_on,
            "managingOrganization": organisation,
        }
    )


def _care_team(reader: Reader) -> Any:
    ties = care_team_of(reader.patient, on=timezone.now().date())
    return CareTeam.model_validate(
        {
            "id": str(reader.patient.pk),
            "meta": META,
            "language": reader.language,
            "status": "active",
            "subject": reader.subject,
            "participant": [_participant(tie) for tie in ties] or None,
            "managingOrganization": [{"display": reader.patient.organisation.name}],
        }
    )


def _participant(tie: CareTeamMember) -> dict[str, Any]:
    return {
        "role": [concept(ROLE, tie.role, WORDS[tie.role])],
        "member": {"type": "Practitioner", "display": tie.clinician.display_name},
        "period": {"start": tie.started_on.isoformat()},
    }


def _owner(resource_id: str) -> UUID | None:
    patient_id = as_uuid(resource_id)
    return patient_id if patient_id and patient_exists(patient_id) else None


def _only(
    build: Callable[[Reader], Any],
) -> Callable[[Reader, Search, Position | None, int], list[Found]]:
    def page(reader: Reader, search: Search, after: Position | None, size: int) -> list[Found]:
        return [] if after else [Found(build(reader), (str(reader.patient.pk),))]

    return page


PATIENT = Kind(
    name="Patient",
    route="<uuid:patient_id>",
    tables=(Patient,),
    owner_of=_owner,
    find=lambda reader, _id: _patient(reader),
    page=_only(_patient),
    operations=("everything",),
)
CARE_TEAM = Kind(
    name="CareTeam",
    route="<uuid:patient_id>",
    tables=(CareTeamMember, Clinician),
    owner_of=_owner,
    find=lambda reader, _id: _care_team(reader),
    page=_only(_care_team),
)
