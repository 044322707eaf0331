"""The scope `contact_details`: who the patient is. What they sign in with is not part of it."""

from __future__ import annotations

from backend.accounts.consent_scopes import Asked, ConsentScope, SharedScope, Shown
from backend.accounts.models import Patient


def gather(patient: Patient, asked: Asked) -> Shown:
    """One row, whatever days are asked for."""
    return [
        {
            "given_name": patient.given_name,
            "family_name": patient.family_name,
            "born_on": patient.born_on,
            "country": patient.country,
            "time_zone": patient.time_zone,
        }
    ]


SCOPE = SharedScope(
    name=ConsentScope.CONTACT_DETAILS,
    object_kind="patient",
    tables=("accounts.Patient",),
    gather=gather,
)
