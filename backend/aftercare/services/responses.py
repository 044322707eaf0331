"""What care does about one check-in, inside the transaction that stores it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import (
    AcuteFacts,
    Match,
    RecentFacts,
    Rule,
    Severity,
    always_pages,
    match_acute_rules,
    needs_recent_facts,
)
from backend.aftercare.models import AcuteReport, Alert
from backend.aftercare.policy import SUPPORT_MESSAGE_LIFE
from backend.aftercare.selectors import alert_of_check_in, rules_said_before
from backend.aftercare.services.alerts import (
    Evidence,
    note_revision,
    raise_alert,
    record_historical_alert,
)
from backend.aftercare.services.nudges import nudge
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft, queue_notifications
from backend.tracking.models import CheckIn, Source
from backend.tracking.selectors import nearby_days

NUDGED_RULES = frozenset({Rule.CONFIDENCE, Rule.SHORT_SLEEP})


def acute_facts(check_in: CheckIn) -> AcuteFacts:
    """The items of a stored check-in that the acute rules read."""
    return AcuteFacts(
        not_safe=check_in.not_safe,
        mood=check_in.mood,
        craving=check_in.craving,
        confidence=check_in.confidence,
        sleep_hours=float(check_in.sleep_hours) if check_in.sleep_hours is not None else None,
        use_reported=bool(check_in.use_reported),
        use_substances=frozenset(check_in.use_substances),
        withdrawal_reported=bool(check_in.withdrawal_reported),
        withdrawal_substances=frozenset(check_in.withdrawal_substances),
        withdrawal_symptoms=frozenset(check_in.withdrawal_symptoms),
    )


def matches_for(
    patient: Patient, facts: AcuteFacts, *, on: date, look_ahead: bool = True
) -> tuple[Match, ...]:
    """The acute rules that hold for this patient's facts about that day."""
    if not needs_recent_facts(facts):
        return match_acute_rules(facts, RecentFacts(), on=on)
    nearby = nearby_days(patient.pk, on, look_ahead=look_ahead)
    recent = RecentFacts(
        nearby_moods=nearby.moods,
        nearby_sleep_hours=nearby.sleep_hours,
        last_use_on=nearby.last_use_on,
    )
    return match_acute_rules(facts, recent, on=on)


def respond_to_check_in(
    *, actor: Actor, patient: Patient, check_in: CheckIn, now: datetime
) -> Alert | None:
    """Raises the alert that a new check-in calls for; None when no acute rule holds.

    Where a refused body under the same id said as much before, nobody is told a second time.
    Imported history makes a closed alert and no message.
    """
    is_live = check_in.source != Source.IMPORT
    facts = acute_facts(check_in)
    matches = matches_for(patient, facts, on=check_in.local_date, look_ahead=is_live)
    if not matches:
        return None
    evidence = _evidence(check_in, matches, on=check_in.local_date, is_late=check_in.is_late)
    if not is_live:
        at = datetime.combine(
            check_in.local_date, time(20), tzinfo=ZoneInfo(patient.time_zone)
        ).astimezone(UTC)
        return record_historical_alert(
            actor=actor, patient=patient, evidence=evidence, at=at, now=now
        )
    said = rules_said_before(patient.pk, check_in.pk)
    return _respond(actor, patient, evidence, renews=_is_news(evidence, said), now=now)


def respond_to_amendment(
    *, actor: Actor, patient: Patient, check_in: CheckIn, now: datetime
) -> Alert | None:
    """What an amended or withdrawn check-in calls for: it may raise an alert and never lowers one.

    The revision shows on the alert that the check-in is evidence for.
    """
    said = rules_said_before(patient.pk, check_in.pk)
    standing = alert_of_check_in(check_in.pk)
    if standing is not None:
        note_revision(standing, revision=check_in.revision, actor=actor, now=now)
    if check_in.withdrawn_at is not None or check_in.source == Source.IMPORT:
        return standing
    matches = matches_for(patient, acute_facts(check_in), on=check_in.local_date)
    if not matches:
        return standing
    evidence = _evidence(check_in, matches, on=check_in.local_date, is_late=check_in.is_late)
    if not _is_news(evidence, said):
        return standing
    return _respond(actor, patient, evidence, renews=True, now=now)


def local_date(patient: Patient, *, now: datetime) -> date:
    """Today's date where the patient lives."""
    return now.astimezone(ZoneInfo(patient.time_zone)).date()


def respond_to_refused(
    *,
    actor: Actor,
    patient: Patient,
    report: AcuteReport,
    matches: Sequence[Match],
    now: datetime,
) -> Alert:
    """Raises the alert for the acute part of a body that was refused for another reason."""
    on = local_date(patient, now=now)
    evidence = _evidence(report, matches, on=on, is_late=False)
    return _respond(actor, patient, evidence, renews=True, now=now)


def _evidence(
    source: CheckIn | AcuteReport, matches: Sequence[Match], *, on: date, is_late: bool
) -> Evidence:
    return Evidence(
        source=source,
        on=on,
        matches=matches,
        is_late=is_late,
        always_pages=always_pages(tuple(matches)),
    )


def _is_news(evidence: Evidence, said: Collection[str]) -> bool:
    return not {match.rule.value for match in evidence.matches} <= set(said)


def _respond(
    actor: Actor, patient: Patient, evidence: Evidence, *, renews: bool, now: datetime
) -> Alert:
    alert = raise_alert(actor=actor, patient=patient, evidence=evidence, renews=renews, now=now)
    if not renews or not patient.is_active:
        return alert
    if evidence.severity is Severity.MEDIUM:
        _nudge(patient, evidence, now=now)
    else:
        _send_support(patient, evidence, now=now)
    return alert


def _send_support(patient: Patient, evidence: Evidence, *, now: datetime) -> None:
    if patient.user_id is None:
        return
    source = evidence.source
    obeys = evidence.is_late and not evidence.always_pages
    draft = NotificationDraft(
        key=f"support:{source.pk}:{evidence.severity.value}",
        kind=NotificationKind.SUPPORT,
        subject=f"check_in:{source.pk}",
        recipient_id=patient.user_id,
        patient_id=patient.pk,
        priority=Priority.ACUTE,
        obeys_quiet_hours=obeys,
        text_id="message.support_message",
        text_facts={"rules": [match.rule.value for match in evidence.matches]},
        due_at=now,
        expires_at=now + SUPPORT_MESSAGE_LIFE,
    )
    queue_notifications(drafts=[draft], now=now)


def _nudge(patient: Patient, evidence: Evidence, *, now: datetime) -> None:
    for match in evidence.matches:
        if match.rule in NUDGED_RULES:
            nudge(patient=patient, kind=match.rule.value, reasons=evidence.reasons, now=now)
            return
