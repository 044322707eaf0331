"""What of care's tables belongs to a patient."""

from __future__ import annotations

from backend.accounts.patient_tables import Fate, PatientTable
from backend.aftercare.models import (
    AcuteReport,
    Alert,
    AlertAct,
    AlertEvidence,
    ContactInvitation,
    ContactMessage,
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
        hidden=frozenset({"ladder", "rungs", "ladder_version"}),
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
        model=ContactMessage,
        erasure=Fate.DELETED,
        name="messages_to_people_you_chose",
        hidden=frozenset({"key", "tries", "lease_token", "lease_expires_at"}),
    ),
    PatientTable(
        model=ContactInvitation,
        erasure=Fate.DELETED,
        name="people_you_asked",
        hidden=frozenset({"link", "link_hash"}),
    ),
    PatientTable(
        model=SupportContact,
        erasure=Fate.DELETED,
        name="support_contacts",
        hidden=frozenset({"sync_seq"}),
    ),
)
