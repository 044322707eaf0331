"""What of the accounts' tables belongs to a patient."""

from __future__ import annotations

from uuid import UUID

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat

from backend.accounts.models import (
    AccessToken,
    AuditEvent,
    CareTeamMember,
    Consent,
    ConsentRevocation,
    Device,
    EmergencyAccess,
    EmergencyAccessReview,
    EnrolmentCode,
    PasswordReset,
    Patient,
    PatientKey,
    User,
)
from backend.accounts.patient_tables import Fate, PatientTable

NOBODYS_ADDRESS = Concat(
    Value("erased-"), Cast("id", CharField()), Value("@erased.invalid"), output_field=CharField()
)
"""What stands in an erased account in place of its address. Nobody has it, and it is unique."""


def _password_resets(patient_id: UUID) -> QuerySet[PasswordReset]:
    address = User.objects.filter(patient=patient_id).values("email")
    return PasswordReset.objects.filter(email__in=address)


TABLES = (
    PatientTable(
        model=PasswordReset,
        of=_password_resets,
        erasure=Fate.DELETED,
        not_exported_because="a code for a new password, of use for half an hour",
    ),
    PatientTable(
        model=AccessToken,
        of="user__patient",
        erasure=Fate.DELETED,
        name="sign_ins",
        hidden=frozenset({"token_hash"}),
    ),
    PatientTable(
        model=Device,
        of="user__patient",
        erasure=Fate.DELETED,
        name="phones",
        hidden=frozenset({"push_target", "push_keys"}),
    ),
    PatientTable(
        model=EnrolmentCode,
        erasure=Fate.DELETED,
        not_exported_because="a code that was used up when the account was made",
    ),
    PatientTable(
        model=ConsentRevocation,
        of="consent__patient",
        erasure=Fate.KEPT,
        kept_because="shows what others were allowed to see, and until when",
        name="consents_taken_back",
    ),
    PatientTable(
        model=Consent,
        erasure=Fate.KEPT,
        kept_because="shows what others were allowed to see, and until when (42 CFR 2.31)",
        name="consents",
    ),
    PatientTable(
        model=EmergencyAccessReview,
        of="emergency_access__patient",
        erasure=Fate.KEPT,
        kept_because="what the organisation found about its own staff",
        name="emergency_access_reviews",
    ),
    PatientTable(
        model=EmergencyAccess,
        erasure=Fate.KEPT,
        kept_because="shows who opened the record in an emergency, and why",
        name="emergency_access",
    ),
    PatientTable(
        model=CareTeamMember,
        erasure=Fate.KEPT,
        kept_because="the clinic's record of who was responsible",
        record_end=Fate.DELETED,
        name="care_team",
    ),
    PatientTable(
        model=PatientKey,
        erasure=Fate.DELETED,
        not_exported_because="a key, which opens what is exported in the clear",
    ),
    PatientTable(
        model=User,
        of="patient",
        erasure=Fate.BLANKED,
        blank={"email": NOBODYS_ADDRESS, "password": "", "is_active": False},
        name="account",
        hidden=frozenset({"password", "sign_outs_everywhere", "notice_due_at"}),
    ),
    PatientTable(
        model=Patient,
        of="pk",
        erasure=Fate.KEPT,
        kept_because="the clinic's own list, entered by the clinic",
        record_end=Fate.BLANKED,
        blank={
            "given_name": "",
            "family_name": "",
            "born_on": None,
            "external_ref": "",
            "quiet_hours": None,
        },
        name="person",
    ),
    PatientTable(
        model=AuditEvent,
        erasure=Fate.KEPT,
        kept_because="append-only: shows who saw and did what; holds no content",
        name="who_did_what",
    ),
)
