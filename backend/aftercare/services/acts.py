"""What a clinician does about an alert. Each is one transaction, idempotent by the act's id."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_patient, not_found
from backend.accounts.actor import Actor
from backend.aftercare.decision_rules import Severity
from backend.aftercare.looking_again import is_back, today_of
from backend.aftercare.models import Alert, AlertAct, AlertActKind, AlertOutcome, AlertStatus
from backend.aftercare.policy import OUTCOME_WITHIN
from backend.aftercare.services.alerts import subject_of
from backend.notifications.services import cancel_pending

LOOK_AGAIN_WITHIN = timedelta(days=90)
# What a clinician may record; the others belong to imports, and to what has passed by itself.
OUTCOMES = frozenset(AlertOutcome.values) - {AlertOutcome.HISTORICAL, AlertOutcome.RECOVERED}


def acknowledge_alert(
    *, actor: Actor, patient_id: UUID, alert_id: UUID, act_id: UUID, now: datetime
) -> Alert:
    """Says "I have seen it": stops the ladder for what came before. Queued messages are cancelled.

    A critical alert comes back when no outcome is recorded in time. Raises `NotFound`, and
    `Conflict` for a resolved alert.
    """

    def see(actor: Actor, alert: Alert, now: datetime) -> None:
        _ack(actor, alert, now)
        if is_back(alert, today=today_of(alert, now=now)):
            alert.look_again_on = None

    return _perform(actor, patient_id, alert_id, act_id, AlertActKind.ACKNOWLEDGED, "", now, see)


def act_on_alert(
    *,
    actor: Actor,
    patient_id: UUID,
    alert_id: UUID,
    act_id: UUID,
    note: str,
    now: datetime,
    look_again_on: date | None = None,
) -> Alert:
    """Records what was done (a call, a visit). Doing something is also having seen it.

    On `look_again_on`, a day to come where the patient is, the alert comes back to the work list
    and a clinician is told. Without one, a day that somebody chose and that is yet to come stands.
    Raises `Invalid` for another day.
    """

    def act(actor: Actor, alert: Alert, now: datetime) -> None:
        _ack(actor, alert, now)
        today = today_of(alert, now=now)
        if look_again_on is not None:
            _refuse_day(look_again_on, today=today)
            alert.look_again_on, alert.look_again_told_at = look_again_on, None
        elif is_back(alert, today=today):
            alert.look_again_on = None

    return _perform(actor, patient_id, alert_id, act_id, AlertActKind.ACTED, note, now, act)


def _refuse_day(day: date, *, today: date) -> None:
    if day <= today:
        words = _("Choose a day to come.")
        raise errors.invalid_field("/look_again_on", "in_the_past", words)
    if day > today + LOOK_AGAIN_WITHIN:
        words = _("Choose a day within 90 days.")
        raise errors.invalid_field("/look_again_on", "too_many_days", words)


def resolve_alert(
    *,
    actor: Actor,
    patient_id: UUID,
    alert_id: UUID,
    act_id: UUID,
    outcome: str,
    note: str,
    now: datetime,
) -> Alert:
    """Closes the alert with its outcome, one of `OUTCOMES`."""
    if outcome not in OUTCOMES:
        raise errors.invalid_field("/outcome", "unknown_outcome", _("Choose one of the outcomes."))

    def close(actor: Actor, alert: Alert, now: datetime) -> None:
        _ack(actor, alert, now)
        alert.status, alert.outcome = AlertStatus.RESOLVED, outcome
        alert.resolved_at, alert.resolved_by_id = now, actor.user_id
        alert.level_due_at = None
        alert.look_again_on = None

    return _perform(actor, patient_id, alert_id, act_id, AlertActKind.RESOLVED, note, now, close)


def _ack(actor: Actor, alert: Alert, now: datetime) -> None:
    if alert.acknowledged_at is None:
        alert.status = AlertStatus.ACKNOWLEDGED
        alert.acknowledged_at, alert.acknowledged_by_id = now, actor.user_id
    is_critical = alert.severity == Severity.CRITICAL
    alert.level_due_at = now + OUTCOME_WITHIN if is_critical else None


@transaction.atomic
def _perform(
    actor: Actor,
    patient_id: UUID,
    alert_id: UUID,
    act_id: UUID,
    kind: AlertActKind,
    note: str,
    now: datetime,
    change: Callable[[Actor, Alert, datetime], None],
) -> Alert:
    patient = access_patient(actor, patient_id, lock=True)
    alert = Alert.objects.select_for_update().filter(patient=patient, pk=alert_id).first()
    if alert is None:
        raise not_found()
    alert.patient = patient
    known = AlertAct.objects.filter(pk=act_id).first()
    if known is not None:
        return _replayed(known, alert, kind)
    if alert.status == AlertStatus.RESOLVED:
        raise errors.Conflict("alert_resolved", _("This alert has been resolved already."))
    change(actor, alert, now)
    alert.save()
    act = AlertAct(id=act_id, alert=alert, at=now, kind=kind, by_id=actor.user_id, note=note)
    try:
        act.save(force_insert=True)
    except IntegrityError:  # taken a moment ago, under another alert: this one's lock says nothing
        raise _id_in_use() from None
    cancel_pending(subject=subject_of(alert), now=now)
    audit.record(
        actor=actor,
        action=f"alert.{kind.value}",
        patient_id=patient.pk,
        object_kind="alert",
        object_id=alert.pk,
    )
    return alert


def _replayed(known: AlertAct, alert: Alert, kind: AlertActKind) -> Alert:
    if known.alert_id != alert.pk or known.kind != kind:
        raise _id_in_use()
    return alert


def _id_in_use() -> errors.Conflict:
    return errors.Conflict("id_in_use", _("This id belongs to something else."))
