"""Evaluating imported days as of each of them: historical alerts, closed, and never a message."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.aftercare.episodes import Episode, episodes
from backend.aftercare.models import Alert, AlertOutcome, AlertStatus, Condition, Severity
from backend.aftercare.services.assessments import days_of, worsening_reason
from backend.tracking.assessing import store_assessment
from backend.tracking.judging import Judged, judge
from backend.tracking.models import AssessmentRequest, CheckIn, CheckInKind, Source
from backend.tracking.packing import drop_windows
from backend.tracking.selectors import recorded_span
from backend.tracking.windows import load_windows, sliding


@transaction.atomic
def assess_history(*, actor: Actor, patient: Patient, now: datetime) -> int:
    """Stores the latest assessment and the declines of the past; returns how many are new.

    Each decline is one alert, from the first day above the flag's limit to the last day above
    the nudge's. Evaluating the same history again adds nothing. Days after the last imported one
    are a phone's own and make no historical alert. Runs under the patient's lock, in the
    transaction that imported the days at `now`: what they asked for is answered here, so that the
    worker, which would tell people, never sees it.
    """
    span, last_imported = recorded_span(patient.pk), _last_imported(patient)
    if span is None or last_imported is None:
        return 0
    first, last = span
    days = (last - first).days + 1
    windows = sliding(load_windows({patient.pk: last}, days=days))
    judged = judge(windows)
    store_assessment(
        actor=actor,
        patient_id=patient.pk,
        as_of=last,
        facts=judged.facts(days - 1),
        digest=judged.digest(days - 1),
        now=now,
    )
    # A request that a phone's check-in left before has an earlier time, and stays.
    AssessmentRequest.objects.filter(patient=patient, requested_at=now).delete()
    drop_windows([patient.pk])
    return sum(
        _record(actor, patient, judged, episode, last_imported, now=now)
        for episode in episodes(days_of(judged))
        if episode.began_on <= last_imported
    )


def _last_imported(patient: Patient) -> date | None:
    days = CheckIn.objects.filter(
        patient=patient, source=Source.IMPORT, kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    ).aggregate(last=Max("local_date"))
    last: date | None = days["last"]
    return last


def _record(
    actor: Actor,
    patient: Patient,
    judged: Judged,
    episode: Episode,
    last_imported: date,
    *,
    now: datetime,
) -> int:
    began, ended = episode.began_on, min(episode.ended_on, last_imported)
    at = datetime.combine(began, time(20), tzinfo=ZoneInfo(patient.time_zone)).astimezone(UTC)
    reason = worsening_reason(judged.facts(judged.windows.as_of.index(began)))
    alert, is_new = Alert.objects.update_or_create(
        patient=patient,
        condition=Condition.WORSENING,
        is_historical=True,
        first_on=began,
        defaults={"last_on": ended, "reasons": [reason]},
        create_defaults={
            "last_on": ended,
            "reasons": [reason],
            "severity": Severity.MEDIUM,
            "status": AlertStatus.RESOLVED,
            "opened_at": at,
            "evidence_at": at,
            "resolved_at": now,
            "outcome": AlertOutcome.HISTORICAL,
        },
    )
    if is_new:
        audit.record(
            actor=actor,
            action="alert.record_historical",
            patient_id=patient.pk,
            object_kind="alert",
            object_id=alert.pk,
        )
    return int(is_new)
