"""What of the programme's tables belongs to a patient: the clinic's record of treatment."""

from __future__ import annotations

from backend.accounts.patient_tables import Fate, PatientTable
from backend.program.models import (
    Attendance,
    DrugTest,
    EpisodeOfCare,
    Phase,
    ProgramSession,
    SessionSeries,
)

TREATMENT = "the clinic's record of the treatment it gave, entered by the clinic"

TABLES = (
    PatientTable(
        model=Attendance,
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="attendance",
    ),
    PatientTable(
        model=ProgramSession,
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="sessions",
    ),
    PatientTable(
        model=SessionSeries,
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="session_series",
    ),
    PatientTable(
        model=Phase,
        of="episode__patient",
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="phases",
    ),
    PatientTable(
        model=EpisodeOfCare,
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="episodes_of_care",
    ),
    PatientTable(
        model=DrugTest,
        erasure=Fate.KEPT,
        kept_because=TREATMENT,
        record_end=Fate.DELETED,
        name="drug_tests",
    ),
)
