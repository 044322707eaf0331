"""The words of a message, rendered when it is read, for the one who may read it."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from backend.accounts import audit
from backend.accounts.access import access_patient, not_found
from backend.accounts.actor import Actor, Role
from backend.aftercare.decision_rules import Rule
from backend.aftercare.own_plan import own_plan
from backend.aftercare.selectors import cues_of_check_in, step_of_nudge
from backend.aftercare.texts import AlertMessage, alert_message, render
from backend.notifications.models import Notification, NotificationKind
from backend.notifications.services.permission import (
    CONSENT,
    EMERGENCY_ACCESS,
    consent_holds,
)
from backend.row_security import acting_as_system


def message_for(row: Notification, *, actor: Actor, language: str) -> AlertMessage:
    """Title and body of the recipient's own message.

    A clinician who may no longer see the patient gets `NotFound`, and so does whoever was told
    under a consent that holds no more: permission is checked now, not when it was queued.
    """
    # The consent is the patient's, and not shown to whom it lets be told.
    with acting_as_system("message.consent"):
        holds = not row.subject.startswith(CONSENT) or consent_holds(row, now=timezone.now())
    if not holds:
        raise not_found()
    if row.kind == NotificationKind.ALERT:
        patient = access_patient(actor, row.patient_id)
        audit.record(
            actor=actor,
            action="message.read",
            patient_id=patient.pk,
            object_kind="notification",
            object_id=row.pk,
        )
        return _about_alert(row, patient=patient.given_name, language=language)
    assert actor.role is Role.PATIENT or row.subject.startswith((CONSENT, EMERGENCY_ACCESS))
    return AlertMessage(
        title=render(f"{row.text_id}.title", language=language),
        body=_body(row, language=language),
    )


def _about_alert(row: Notification, *, patient: str, language: str) -> AlertMessage:
    facts = row.text_facts
    said = alert_message(
        condition=str(facts["condition"]),
        severity=str(facts["severity"]),
        patient=patient,
        language=language,
    )
    if facts.get("look_again"):
        again = render("alert.look_again", language=language)
        return AlertMessage(title=said.title, body=f"{said.body} {again}")
    if not facts.get("nobody_answered"):
        return said
    nobody = render("alert.nobody_answered", language=language)
    return AlertMessage(title=said.title, body=f"{said.body} {nobody}")


def nudge_id_of(row: Notification) -> UUID | None:
    """The nudge or prompt that this message is; None for any other."""
    kind, _colon, found = row.subject.partition(":")
    return UUID(found) if kind in ("nudge", "prompt") else None


def _body(row: Notification, *, language: str) -> str:
    if row.kind == NotificationKind.NUDGE:
        step = step_of_nudge(nudge_id_of(row))
        if step:
            return render(f"{row.text_id}.body", language=language, step=step)
        return render(f"{row.text_id}.body_no_step", language=language)
    body = render(f"{row.text_id}.body", language=language)
    step = _step_for_craving(row)
    return f"{body} {render('support.own_step', language=language, step=step)}" if step else body


def _step_for_craving(row: Notification) -> str:
    """What helps this person with what they reported, when it was a craving."""
    about, _colon, check_in_id = row.subject.partition(":")
    rules = row.text_facts.get("rules", ())
    if about != "check_in" or Rule.CRAVING.value not in rules:
        return ""
    cues = cues_of_check_in(row.patient_id, UUID(check_in_id))
    ranked = own_plan(row.patient_id, now=row.created_at).ranked(cues)
    return next((one.step.words for one in ranked if one.serves_cue or not one.step.cues), "")
