"""What care does about a trend: a nudge to the patient, a flag to the therapist, or nothing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import hold_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.episodes import Day
from backend.aftercare.models import Alert, AlertStatus, Condition, Severity
from backend.aftercare.services.absences import end_absence
from backend.aftercare.services.nudges import nudge
from backend.aftercare.services.prompt_sweeping import drop_answered
from backend.aftercare.services.worsening import follow_worsening
from backend.tracking.assessing import claim_requests, finish_request, store_assessment
from backend.tracking.judging import Judged, judge
from backend.tracking.packing import packed_of
from backend.tracking.trends import Tier, Trend
from backend.tracking.windows import latest_days, load_windows

STALE_DAYS = 7
logger = structlog.get_logger(__name__)
ACTOR = Actor.system("assess_due")
NOT_ACUTE = (Condition.WORSENING, Condition.ABSENCE, Condition.LEFT_MONITORING)


def assess_due(*, now: datetime) -> int:
    """Evaluates everyone who asked for it, many at once as arrays; returns how many.

    Each person's outcome is one transaction: the assessment, what follows from it, and the
    clearing of the request. One that fails is logged and keeps its request for the next time.
    """
    claimed = claim_requests(now=now)
    if not claimed:
        return 0
    ids = [request.patient_id for request in claimed]
    with transaction.atomic():
        audit.record_shown(actor=ACTOR, action="check_ins.evaluate", patient_ids=ids)
        windows = load_windows(latest_days(ids))
    row_of = {patient_id: row for row, patient_id in enumerate(windows.patient_ids)}
    judged = judge(windows)
    for request in claimed:
        row = row_of.get(request.patient_id)
        try:
            with transaction.atomic():
                packed = None
                if row is not None and decide(request.patient_id, judged, row, now=now):
                    packed = packed_of(judged.windows, row, ruleset=judged.ruleset(row))
                else:
                    hold_patient(request.patient_id)
                finish_request(request, packed)
        except Exception as error:
            logger.error("assessment_failed", patient_id=str(request.patient_id), exc_info=error)
    drop_answered(now=now, patient_ids=[request.patient_id for request in claimed])
    return len(claimed)


def decide(patient_id: UUID, judged: Judged, row: int, *, now: datetime) -> bool:
    """Stores what was found for one person and does what follows, in the caller's transaction.

    Holds the patient. Of who has left monitoring nothing is found, and the answer is False.
    """
    patient = (
        Patient.objects.select_related("organisation", "user")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=patient_id)
    )
    if patient.left_monitoring_at is not None:
        return False
    facts = judged.facts(row)
    day = day_of(facts, today=now.astimezone(ZoneInfo(patient.time_zone)).date())
    store_assessment(
        actor=ACTOR,
        patient_id=patient.pk,
        as_of=day.on,
        facts=facts,
        digest=judged.digest(row),
        now=now,
    )
    if not patient.is_active:
        return True
    reason = worsening_reason(facts)
    end_absence(actor=ACTOR, patient=patient, answered_on=day.on, now=now)
    follow_worsening(actor=ACTOR, patient=patient, reason=reason, day=day, now=now)
    if day.nudged and not _has_acute_alert(patient):
        nudge(patient=patient, kind="worsening", reasons=[reason], now=now)
    return True


def day_of(facts: dict[str, Any], *, today: date) -> Day:
    """The day that these facts are about, as an episode sees it.

    What was true a week ago and more says nothing of now.
    """
    on = date.fromisoformat(facts["as_of"])
    is_recent = (today - on).days < STALE_DAYS
    return Day(
        on=on,
        flagged=is_recent and facts["since"]["flag"] is not None,
        nudged=is_recent and facts["since"]["nudge"] is not None,
        is_known=is_recent and facts["trend"] != Trend.UNKNOWN,
    )


def days_of(judged: Judged) -> list[Day]:
    """Every row as an episode sees it, for one person's history as of each of its days."""
    columns = (
        judged.windows.as_of,
        *map(list, (judged.above(Tier.FLAG), judged.above(Tier.NUDGE), judged.known())),
    )
    return [Day(on, bool(f), bool(n), bool(k)) for on, f, n, k in zip(*columns, strict=True)]


def worsening_reason(facts: dict[str, Any]) -> dict[str, Any]:
    """The reason as an alert and a nudge keep it: the rule and what its sentence needs."""
    return {
        "rule": "worsening",
        "severity": Severity.MEDIUM.value,
        "on": facts["as_of"],
        "facts": {
            "began_on": facts["began_on"],
            "signals": [signal for signal in facts["signals"] if signal["reason"]],
        },
    }


def _has_acute_alert(patient: Patient) -> bool:
    open_alerts = Alert.objects.filter(patient=patient).exclude(status=AlertStatus.RESOLVED)
    return open_alerts.exclude(condition__in=NOT_ACUTE).exists()
