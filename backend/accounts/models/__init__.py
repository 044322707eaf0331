"""Who someone is, who may see whom, and what was done."""

from __future__ import annotations

from backend.accounts.models.audit import AuditEvent, RateCounter
from backend.accounts.models.consents import (
    Consent,
    ConsentRevocation,
    EmergencyAccess,
    EmergencyAccessReview,
    ExpiryEvent,
    Purpose,
    RecipientKind,
    ReviewFinding,
    SignatureMethod,
)
from backend.accounts.models.devices import AccessToken, Device
from backend.accounts.models.keys import PatientKey
from backend.accounts.models.passwords import PasswordReset, ResetPurpose
from backend.accounts.models.people import (
    Administrator,
    CareTeamMember,
    Clinician,
    ClinicianRole,
    EnrolmentCode,
    Organisation,
    Patient,
)
from backend.accounts.models.second_factors import (
    FactorKind,
    MfaChallenge,
    RecoveryCode,
    SecondFactor,
)
from backend.accounts.models.users import User

__all__ = [
    "AccessToken",
    "Administrator",
    "AuditEvent",
    "CareTeamMember",
    "Clinician",
    "ClinicianRole",
    "Consent",
    "ConsentRevocation",
    "Device",
    "EmergencyAccess",
    "EmergencyAccessReview",
    "EnrolmentCode",
    "ExpiryEvent",
    "FactorKind",
    "MfaChallenge",
    "Organisation",
    "PasswordReset",
    "Patient",
    "PatientKey",
    "Purpose",
    "RateCounter",
    "RecipientKind",
    "RecoveryCode",
    "ResetPurpose",
    "ReviewFinding",
    "SecondFactor",
    "SignatureMethod",
    "User",
]
