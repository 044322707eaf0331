"""Check-ins as the table shows them: only what was answered, notes only where shared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from backend.aftercare.texts import TextError
from backend.aftercare.texts import render as text
from backend.dashboard.wording import amount, clock_of, short_day
from backend.tracking.models import CheckIn, CheckInKind, Source


@dataclass(frozen=True, slots=True)
class CheckInRow:
    """Empty strings for what was skipped."""

    day: str
    kind: str
    clock: str
    mood: str
    craving: str
    confidence: str
    sleep: str
    exercise: str
    more: list[str]
    note: str
    has_private_note: bool
    made_alert: bool


def show_check_in(
    row: CheckIn, *, alert_days: set[date], zone: str, today: date, language: str
) -> CheckInRow:
    """One check-in; a note that the patient has not shared is never in it, and of one that they
    took back only that they did."""
    if row.withdrawn_at is not None:
        row = CheckIn(
            kind=row.kind,
            local_date=row.local_date,
            recorded_at=row.recorded_at,
            time_zone=row.time_zone,
            withdrawn_at=row.withdrawn_at,
        )
    exercise = (
        "" if row.exercise_minutes is None else amount("exercise_minutes", row.exercise_minutes)
    )
    sleep = "" if row.sleep_hours is None else amount("sleep_hours", float(row.sleep_hours))
    return CheckInRow(
        day=short_day(row.local_date, today=today),
        kind=_("in the moment") if row.kind == CheckInKind.MOMENT else "",
        clock=clock_of(row.recorded_at, row.time_zone or zone),
        mood="" if row.mood is None else str(row.mood),
        craving="" if row.craving is None else str(row.craving),
        confidence="" if row.confidence is None else str(row.confidence),
        sleep=sleep,
        exercise=exercise,
        more=_more(row, language),
        note=row.note if row.note_shared else "",
        has_private_note=bool(row.note) and not row.note_shared,
        made_alert=row.local_date in alert_days,
    )


def _more(row: CheckIn, language: str) -> list[str]:
    more = []
    if row.withdrawn_at is not None:
        more.append(_("taken back by the person"))
    elif row.revision > 1:
        more.append(_("changed by the person"))
    if row.not_safe:
        more.append(_("said: not safe now"))
    if row.use_reported:
        more.append(_with(_("use"), _named("substance", row.use_substances, language)))
    elif row.use_reported is False:
        more.append(_("no use"))
    if row.withdrawal_reported:
        named = [
            *_named("substance", row.withdrawal_substances, language),
            *_named("symptom", row.withdrawal_symptoms, language),
        ]
        more.append(_with(_("withdrawal"), named))
    if row.cues:
        more.append(_with(_("cues"), row.cues))
    if row.helped:
        more.append(_with(_("what helped"), row.helped))
    if row.is_late and row.source != Source.IMPORT:
        more.append(_("arrived late"))
    return more


def _with(word: str, named: list[str]) -> str:
    return f"{word}: {', '.join(named)}" if named else word


def _named(prefix: str, values: list[str], language: str) -> list[str]:
    named = []
    for value in values:
        try:
            named.append(text(f"{prefix}.{value}", language=language))
        except TextError:
            named.append(value)
    return named
