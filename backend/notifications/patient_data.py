"""What of the messages' tables belongs to a patient."""

from __future__ import annotations

from django.db.models import F, Q

from backend.accounts.patient_tables import Fate, PatientTable
from backend.notifications.models import DeliveryAttempt, Notification

TO_PATIENT = Q(recipient=F("patient__user"))
_TRY_TO_PATIENT = Q(notification__recipient=F("notification__patient__user"))
_LEASE = frozenset({"lease_token", "lease_expires_at", "unreturned_claims", "attempts", "ways"})

TABLES = (
    PatientTable(
        model=DeliveryAttempt,
        of="notification__patient",
        only=_TRY_TO_PATIENT,
        erasure=Fate.DELETED,
        name="messages_tried",
    ),
    PatientTable(
        model=DeliveryAttempt,
        of="notification__patient",
        only=~_TRY_TO_PATIENT,
        erasure=Fate.KEPT,
        kept_because="shows that staff were told; holds no content",
        record_end=Fate.DELETED,
        not_exported_because="which of their own phones staff were reached on",
    ),
    PatientTable(
        model=Notification,
        only=TO_PATIENT,
        erasure=Fate.DELETED,
        name="messages",
        hidden=_LEASE,
    ),
    PatientTable(
        model=Notification,
        only=~TO_PATIENT,
        erasure=Fate.BLANKED,
        blank={"text_facts": {}},
        kept_because="shows that staff were told, and when",
        record_end=Fate.DELETED,
        name="messages_about_you",
        hidden=_LEASE,
    ),
)
