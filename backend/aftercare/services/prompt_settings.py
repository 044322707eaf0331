"""When a patient wants to be prompted, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_own_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.accounts.places import refuse_unknown_places
from backend.aftercare.models import PromptSchedule
from backend.aftercare.schedules import Every
from backend.aftercare.selectors import schedules_of
from backend.notifications.quiet_hours import LONGEST, QuietHours


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kind of prompt as the patient wants it; see `schedules.Schedule`."""

    kind: str
    is_on: bool
    every: str
    at: time
    weekdays: tuple[int, ...]
    interval_weeks: int
    day_of_month: int | None
    starts_on: date | None


@transaction.atomic
def set_prompt_settings(
    *,
    actor: Actor,
    time_zone: str | None,
    wanted: Sequence[Wanted],
    now: datetime,
    quiet_from: time | None = None,
    quiet_until: time | None = None,
) -> Patient:
    """Stores one's own zone, times and quiet hours; what is not named stays. Again: nothing.

    A date that had its prompt gets no second one by this. Raises `Invalid` for an unknown zone, a
    kind named twice, a time in quiet hours, days that are missing, and quiet hours that are longer
    than `LONGEST` or that a prompt as it stands lies in.
    """
    refuse_unknown_places(country=None, time_zone=time_zone)
    patient = access_own_patient(actor, lock=True)
    before = QuietHours.of(patient.quiet_hours)
    hours = QuietHours(
        before.start if quiet_from is None else quiet_from,
        before.end if quiet_until is None else quiet_until,
    )
    for index, one in enumerate(wanted):
        _refuse(one, index, earlier=[other.kind for other in wanted[:index]], hours=hours)
    if hours != before:
        named = "/quiet_until" if quiet_from is None else "/quiet_from"
        others = [row for row in schedules_of(patient, now=now) if row.is_on]
        replaced = {one.kind for one in wanted}
        times = [row.at for row in others if row.kind not in replaced]
        _refuse_hours(hours, times, named)
        patient.quiet_hours = [hours.start, hours.end]
        Patient.objects.filter(pk=patient.pk).update(quiet_hours=patient.quiet_hours)
        _audit(actor, patient, fields=["quiet_hours"])
    if time_zone is not None and time_zone != patient.time_zone:
        Patient.objects.filter(pk=patient.pk).update(time_zone=time_zone)
        patient.time_zone = time_zone
        PromptSchedule.objects.filter(patient=patient).update(next_look_at=now)
        _audit(actor, patient, fields=["time_zone"])
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    for one in wanted:
        _store(actor, patient, one, today=today, now=now)
    return patient


def _store(actor: Actor, patient: Patient, wanted: Wanted, *, today: date, now: datetime) -> None:
    row = PromptSchedule.objects.filter(patient=patient, kind=wanted.kind).first()
    values = {
        "is_on": wanted.is_on,
        "every": wanted.every,
        "at": wanted.at,
        "weekdays": sorted(set(wanted.weekdays)),
        "interval_weeks": wanted.interval_weeks,
        "day_of_month": wanted.day_of_month,
        "starts_on": wanted.starts_on or (row.starts_on if row else today),
    }
    if row is None:
        row = PromptSchedule(patient=patient, kind=wanted.kind)
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
    if row.pk is not None and not changed:
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.next_look_at = now
    row.save()
    _audit(actor, patient, fields=changed, kind=wanted.kind)


def _refuse_hours(hours: QuietHours, times: Sequence[time], named: str) -> None:
    if hours.length > LONGEST:
        raise errors.invalid_field(
            named, "quiet_too_long", _("Quiet hours last 16 hours at the most.")
        )
    if any(hours.holds(at) for at in times):
        raise errors.invalid_field(
            named, "covers_a_prompt", _("You are asked for a check-in in that time. Move it first.")
        )


def _refuse(wanted: Wanted, index: int, *, earlier: Sequence[str], hours: QuietHours) -> None:
    where = f"/schedules/{index}"
    if wanted.kind in earlier:
        raise errors.invalid_field(f"{where}/kind", "contradiction", _("This is named twice."))
    if hours.holds(wanted.at):
        raise errors.invalid_field(
            f"{where}/at", "in_quiet_hours", _("Nothing is sent at this time. Choose another.")
        )
    needs_weekdays = wanted.every in (Every.WEEKDAYS, Every.WEEKS)
    if needs_weekdays and not wanted.weekdays:
        raise errors.invalid_field(f"{where}/weekdays", "empty", _("Choose at least one day."))
    if wanted.every == Every.MONTH and wanted.day_of_month is None:
        raise errors.invalid_field(f"{where}/day_of_month", "empty", _("Choose a day."))


def _audit(actor: Actor, patient: Patient, *, fields: Sequence[str], kind: str = "") -> None:
    audit.record(
        actor=actor,
        action="prompt_settings.set",
        patient_id=patient.pk,
        object_kind="prompt_settings",
        object_id=kind,
        facts={"fields": list(fields)},
    )
