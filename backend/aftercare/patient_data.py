"""What of care's tables belongs to a patient."""

from __future__ import annotations

from backend.accounts.patient_tables import Fate, PatientTable
from backend.aftercare.models import (
    AcuteReport,
    Alert,
    AlertAct,
    AlertEvidence,
    CopingStep,
    Decision,
    Nudge,
    Prompt,
    PromptSchedule,
    SupportContact,
)

TABLES = (
    PatientTable(
        model=AlertEvidence,
        of="alert__patient",
        erasure=Fate.DELETED,
        name="what_led_to_alerts",
    ),
    PatientTable(model=AcuteReport, erasure=Fate.DELETED, name="reports_heard"),
    PatientTable(
        model=AlertAct,
        of="alert__patient",
        erasure=Fate.BLANKED,
        blank={"note": "", "facts": {}},
        kept_because="shows what the clinic did, by whom and when",
        record_end=Fate.DELETED,
        name="what_was_done_about_alerts",
    ),
    PatientTable(
        model=Alert,
        erasure=Fate.BLANKED,
        blank={"reasons": []},
        kept_because="shows that the clinic was told, and when it answered",
        record_end=Fate.DELETED,
        name="alerts",
        hidden=frozenset({"ladder"}),
    ),
    PatientTable(model=Nudge, erasure=Fate.DELETED, name="nudges"),
    PatientTable(model=Prompt, erasure=Fate.DELETED, name="prompts"),
    PatientTable(model=PromptSchedule, erasure=Fate.DELETED, name="prompt_times"),
    PatientTable(model=Decision, erasure=Fate.DELETED, name="decisions"),
    PatientTable(
        model=CopingStep,
        erasure=Fate.DELETED,
        name="coping_steps",
        hidden=frozenset({"sync_seq"}),
    ),
    PatientTable(
        model=SupportContact,
        erasure=Fate.DELETED,
        name="support_contacts",
        hidden=frozenset({"sync_seq"}),
    ),
)
