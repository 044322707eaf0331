"""What of privacy's own tables belongs to a patient."""

from __future__ import annotations

from backend.accounts.patient_tables import Fate, PatientTable
from backend.privacy.models import Disclosure, Erasure, Export, LegalHold

TABLES = (
    PatientTable(
        model=Export,
        erasure=Fate.DELETED,
        not_exported_because="the exports themselves",
    ),
    PatientTable(
        model=Disclosure,
        erasure=Fate.KEPT,
        kept_because="shows what was disclosed to whom (42 CFR 2.25); holds no content",
        name="disclosures",
    ),
    PatientTable(
        model=LegalHold,
        erasure=Fate.KEPT,
        kept_because="a duty of the clinic's, and who said so",
        not_exported_because="may be about a proceeding that the clinic must not speak of",
    ),
    PatientTable(
        model=Erasure,
        erasure=Fate.KEPT,
        kept_because="shows that it was done, and what was counted",
        name="erasures",
    ),
)
