"""The words of a message, rendered when it is read, for the one who may read it."""

from __future__ import annotations

from backend.accounts import audit
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor, Role
from backend.aftercare.texts import AlertMessage, alert_message, render
from backend.notifications.models import Notification, NotificationKind


def message_for(row: Notification, *, actor: Actor, language: str) -> AlertMessage:
    """Title and body of the recipient's own message.

    A clinician who may no longer see the patient gets `NotFound`: permission is checked now, not
    when the message was queued.
    """
    if row.kind == NotificationKind.ALERT:
        patient = access_patient(actor, row.patient_id)
        audit.record(
            actor=actor,
            action="message.read",
            patient_id=patient.pk,
            object_kind="notification",
            object_id=row.pk,
        )
        facts = row.text_facts
        return alert_message(
            condition=str(facts["condition"]),
            severity=str(facts["severity"]),
            patient=patient.given_name,
            language=language,
        )
    assert actor.role is Role.PATIENT
    body = f"{row.text_id}.body_no_step" if row.kind == NotificationKind.NUDGE else None
    return AlertMessage(
        title=render(f"{row.text_id}.title", language=language),
        body=render(body or f"{row.text_id}.body", language=language),
    )
