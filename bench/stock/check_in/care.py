"""What a stored check-in sets off: audit, assessment, alert, messages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from backend.aftercare.decision_rules import (
    AcuteFacts,
    Match,
    RecentFacts,
    match_acute_rules,
    needs_recent_facts,
)
from bench.stock.check_in.models import (
    Alert,
    AlertEvidence,
    AssessmentRequest,
    AuditEvent,
    CareTeamMember,
    CheckIn,
    Device,
    Notification,
    Patient,
)

DUE_WITHIN = timedelta(hours=4)
MESSAGE_LIFE = timedelta(hours=24)


def respond(patient: Patient, check_in: CheckIn) -> None:
    """Inside the transaction that stores it."""
    now = timezone.now()
    audit(patient, "check_in.store", "check_in", check_in.pk)
    request, is_new = AssessmentRequest.objects.get_or_create(
        patient=patient, defaults={"requested_at": now, "assess_from": check_in.local_date}
    )
    if not is_new:
        request.generation = F("generation") + 1
        request.assess_from = min(request.assess_from, check_in.local_date)
        request.save()
    matches = acute_matches(check_in)
    if matches:
        raise_alert(patient, check_in, matches, now)


def audit(patient: Patient, action: str, kind: str, object_id: object) -> None:
    AuditEvent.objects.create(
        action=action,
        actor=patient.user,
        patient=patient,
        object_kind=kind,
        object_id=str(object_id),
        facts={"source": "app"},
    )


def acute_matches(check_in: CheckIn) -> tuple[Match, ...]:
    facts = AcuteFacts(
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
    recent = recent_facts(check_in) if needs_recent_facts(facts) else RecentFacts()
    return match_acute_rules(facts, recent, on=check_in.local_date)


def recent_facts(check_in: CheckIn) -> RecentFacts:
    others = CheckIn.objects.filter(patient=check_in.patient).exclude(pk=check_in.pk)
    day = timedelta(days=1)
    nearby = others.filter(local_date__in=[check_in.local_date - day, check_in.local_date + day])
    used = others.filter(use_reported=True, local_date__lt=check_in.local_date)
    last_use: date | None = (
        used.order_by("-local_date").values_list("local_date", flat=True).first()
    )
    return RecentFacts(
        nearby_moods=tuple(row.mood for row in nearby if row.mood is not None),
        nearby_sleep_hours=tuple(float(row.sleep_hours) for row in nearby if row.sleep_hours),
        last_use_on=last_use,
    )


def raise_alert(
    patient: Patient, check_in: CheckIn, matches: tuple[Match, ...], now: datetime
) -> None:
    """Opens an alert, or renews the open one of its condition, and leaves the messages."""
    first = matches[0]
    reasons = [match.as_json() for match in matches]
    standing = Alert.objects.select_for_update().filter(patient=patient, status="open")
    alert = standing.filter(condition=first.condition).first()
    if alert is None:
        alert = Alert(patient=patient, condition=first.condition, opened_at=now, round=0)
    alert.severity = first.severity.value
    alert.reasons = [*alert.reasons, *reasons]
    alert.round += 1
    alert.evidence_at, alert.due_at = now, now + DUE_WITHIN
    alert.save()
    audit(patient, "alert.raise", "alert", alert.pk)
    AlertEvidence.objects.create(
        alert=alert, check_in=check_in, rules=[match.rule.value for match in matches]
    )
    for member in patient.care_team.filter(ended_on=None).select_related("clinician__user"):
        user = member.clinician.user
        if Device.objects.filter(user=user, is_private=True).exists():
            key = f"alert:{alert.pk}:{alert.round}:{user.pk}"
            leave_message(key, "alert", user, patient, {"severity": alert.severity}, now)
    rules = {"rules": [match.rule.value for match in matches]}
    leave_message(f"support:{check_in.pk}", "support", patient.user, patient, rules, now)


def leave_message(
    key: str, kind: str, recipient: Any, patient: Patient, facts: dict[str, Any], now: datetime
) -> None:
    Notification.objects.create(
        key=key,
        kind=kind,
        recipient=recipient,
        patient=patient,
        text_id=f"message.{kind}",
        text_facts=facts,
        due_at=now,
        expires_at=now + MESSAGE_LIFE,
    )


def monitoring_statement(patient: Patient) -> dict[str, Any]:
    """Who will see it."""
    team = CareTeamMember.objects.filter(patient=patient, ended_on=None).select_related("clinician")
    names = [member.clinician.display_name for member in team]
    if not names:
        return {"statement": "Nobody has been told.", "told": False}
    return {"statement": f"{', '.join(names)} will read this.", "told": False}
