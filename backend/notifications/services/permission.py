"""Whether a recipient may still be told, looked at again just before a send.

Accounts close, people leave a team, the programme or monitoring, and consents are taken back.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from backend.accounts.access import Scope, live_consents, visible_patients
from backend.accounts.actor import Actor, Role
from backend.notifications.models import Notification, NotificationKind

WATCHING = frozenset({NotificationKind.NUDGE.value, NotificationKind.PROMPT.value})
"""What belongs to being watched, and ends when a patient leaves monitoring."""

CONSENT = "consent:"
EMERGENCY_ACCESS = "emergency_access:"


def consent_subject(consent_id: UUID) -> str:
    """The subject of a message that hangs on this consent: without it, it is not sent."""
    return f"{CONSENT}{consent_id}"


def may_still_be_told(row: Notification, *, is_acute: bool, now: datetime) -> bool:
    """`row` as `selectors.leased` reads it, with its recipient and patient."""
    if not row.recipient.is_active:
        return False
    if row.subject.startswith(EMERGENCY_ACCESS):
        return _is_own(row) or _administers(row)
    if not (row.patient.is_active or is_acute):
        return False
    if row.kind in WATCHING and row.patient.left_monitoring_at is not None:
        return False
    if row.subject.startswith(CONSENT):
        return consent_holds(row, now=now)
    return _is_own(row) or visible_patients(_actor(row)).filter(pk=row.patient_id).exists()


def consent_holds(row: Notification, *, now: datetime) -> bool:
    """Whether the consent that this message hangs on is live."""
    consents = live_consents(at=now, patient_id=row.patient_id)
    return consents.filter(pk=row.subject.removeprefix(CONSENT)).exists()


def _is_own(row: Notification) -> bool:
    return row.patient.user_id == row.recipient_id


def _administers(row: Notification) -> bool:
    seen = visible_patients(_actor(row), scope=Scope.ADMINISTRATIVE)
    return row.recipient.role == Role.ADMINISTRATOR and seen.filter(pk=row.patient_id).exists()


def _actor(row: Notification) -> Actor:
    return Actor(user_id=row.recipient_id, role=Role(row.recipient.role))
