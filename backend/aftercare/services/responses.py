"""What care does about one check-in, inside the transaction that stores it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID
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
from backend.aftercare.selectors import (
    alert_of_check_in,
    rules_refused_before,
    rules_said_before,
)
from backend.aftercare.services.alerts import Evidence, note_revision, record_historical_alert
from backend.aftercare.services.nudges import nudge
from backend.aftercare.services.raising import Raising
from backend.notifications.models import NotificationKind, Priority
from backend.notifications.services import NotificationDraft
from backend.tracking.models import CheckIn, Source
from backend.tracking.reports import CheckInReport
from backend.tracking.selectors import nearby_days

NUDGED_RULES = frozenset({Rule.CONFIDENCE, Rule.SHORT_SLEEP})


def acute_facts(check_in: CheckIn | CheckInReport) -> AcuteFacts:
    """The items of a check-in that the acute rules read."""
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


def may_be_acute(report: CheckInReport) -> bool:
    """Whether an acute rule holds, or might with what the days around say."""
    facts = acute_facts(report)
    if needs_recent_facts(facts):
        return True
    return bool(match_acute_rules(facts, RecentFacts(), on=report.local_date))


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


@dataclass(frozen=True, slots=True)
class Response:
    """What one check-in called for: its alert and the rules that held, the most severe first."""

    alert: Alert
    rules: list[str]


def respond_to_check_ins(
    *, actor: Actor, patient: Patient, check_ins: Sequence[CheckIn], now: datetime
) -> dict[UUID, Response]:
    """Raises the alerts that new check-ins call for, in their order; an answer for each acute one.

    Those that `may_be_acute` rules out may be left out.
    Where a refused body under the same id said as much before, nobody is told a second time.
    Imported history makes closed alerts and no message.
    """
    found = [
        (check_in, matches) for check_in in check_ins if (matches := _matches(patient, check_in))
    ]
    if not found:
        return {}
    said = rules_refused_before(patient.pk, [check_in.pk for check_in, _matches in found])
    raising = Raising(actor, patient, now)
    responses = {}
    for check_in, matches in found:
        evidence = _evidence(check_in, matches, on=check_in.local_date, is_late=check_in.is_late)
        if check_in.source == Source.IMPORT:
            alert = _record_history(actor, patient, evidence, now=now)
        else:
            renews = _is_news(evidence, said.get(check_in.pk, ()))
            alert = _respond(raising, evidence, renews=renews)
        responses[check_in.pk] = Response(alert, [match.rule.value for match in matches])
    raising.write()
    return responses


def _matches(patient: Patient, check_in: CheckIn) -> tuple[Match, ...]:
    is_live = check_in.source != Source.IMPORT
    facts = acute_facts(check_in)
    return matches_for(patient, facts, on=check_in.local_date, look_ahead=is_live)


def _record_history(actor: Actor, patient: Patient, evidence: Evidence, *, now: datetime) -> Alert:
    zone = ZoneInfo(patient.time_zone)
    at = datetime.combine(evidence.on, time(20), tzinfo=zone).astimezone(UTC)
    return record_historical_alert(actor=actor, patient=patient, evidence=evidence, at=at, now=now)


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
    is_news = _is_news(evidence, said)
    if standing is not None and not is_news:
        return standing
    # What a refused body under this id has said already still needs its tie to an alert.
    return _respond_at_once(actor, patient, evidence, renews=is_news, now=now)


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
    return _respond_at_once(actor, patient, evidence, renews=True, now=now)


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


def _respond_at_once(
    actor: Actor, patient: Patient, evidence: Evidence, *, renews: bool, now: datetime
) -> Alert:
    raising = Raising(actor, patient, now)
    alert = _respond(raising, evidence, renews=renews)
    raising.write()
    return alert


def _respond(raising: Raising, evidence: Evidence, *, renews: bool) -> Alert:
    patient = raising.patient
    alert = raising.add(evidence, renews=renews)
    if not renews or not patient.is_active:
        return alert
    if evidence.severity is Severity.MEDIUM:
        _nudge(patient, evidence, now=raising.now)
    elif patient.user_id is not None:
        raising.tell([_support(patient, patient.user_id, evidence, now=raising.now)])
    return alert


def _support(
    patient: Patient, user_id: UUID, evidence: Evidence, *, now: datetime
) -> NotificationDraft:
    source = evidence.source
    return NotificationDraft(
        key=f"support:{source.pk}:{evidence.severity.value}",
        kind=NotificationKind.SUPPORT,
        subject=f"check_in:{source.pk}",
        recipient_id=user_id,
        patient_id=patient.pk,
        priority=Priority.ACUTE,
        obeys_quiet_hours=evidence.is_late and not evidence.always_pages,
        text_id="message.support_message",
        text_facts={"rules": [match.rule.value for match in evidence.matches]},
        due_at=now,
        expires_at=now + SUPPORT_MESSAGE_LIFE,
    )


def _nudge(patient: Patient, evidence: Evidence, *, now: datetime) -> None:
    for match in evidence.matches:
        if match.rule in NUDGED_RULES:
            nudge(
                patient=patient,
                kind=match.rule.value,
                reasons=evidence.reasons,
                now=now,
                cues=getattr(evidence.source, "cues", ()),
            )
            return
