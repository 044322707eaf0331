"""A diary's people, one after the other, through intake's own service.

One person's days are one transaction (a very long history a few), so that an import that is
killed leaves whole people behind and the next one goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from backend.accounts.actor import Actor
from backend.accounts.models import Clinician, ClinicianRole, Organisation, Patient
from backend.accounts.services import add_patient, join_care_team
from backend.aftercare import services as aftercare
from backend.errors import DomainError
from backend.intake.diaries.days import Day, PersonDays, PersonReader
from backend.intake.diaries.mapping import DiaryMapping
from backend.intake.diaries.outcome import Imported
from backend.intake.diaries.placing import Placement, check_in_id
from backend.intake.diaries.reading import BadRow, Person, Survey
from backend.intake.services import receive_imported
from backend.tracking.models import CheckIn, TrendDirection
from backend.tracking.reports import CheckInReport
from backend.tracking.selectors import latest_assessment

DAYS_AT_ONCE = 400
STORED_DIFFERENTLY = "this day is stored with other content; nothing was overwritten"
SOMEONE_ELSES = "this day belongs to another patient: was person.reference changed?"


class AnchorError(Exception):
    """The anchor date asked for is not where this diary's days stand already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whose patients they become. `clinician` joins the care team of those who are new.

    The last day falls on `anchor`; `is_anchor_asked` says whether somebody asked for it, or it is
    only where days go that have never been imported.
    """

    organisation: Organisation
    clinician: Clinician
    anchor: date
    is_anchor_asked: bool


class Importer:
    """One import of one diary. Days that stand already keep their dates, whatever today is."""

    def __init__(
        self, *, actor: Actor, mapping: DiaryMapping, target: Target, survey: Survey, now: datetime
    ) -> None:
        self._actor, self._mapping, self._target, self._now = actor, mapping, target, now
        self._last_day = survey.last_day if mapping.day.anchor == "file" else None
        self._placed: Placement | None = None
        self._reader = PersonReader(mapping)

    def import_person(self, person: Person, *, is_dry_run: bool = False) -> Imported:
        """Stores what is new of one person's days. Raises `AnchorError` before storing anything."""
        patient = self._find(person)
        days = self._reader.read(person)
        outcome = Imported(
            rows=len(person.rows),
            is_new=patient is None,
            reported=len(days.reported),
            unreported=days.unreported,
            without_row=days.without_row,
            clipped=days.clipped,
            bad=list(days.bad),
        )
        if not days.has_any:
            return outcome
        ids = {day.number: self._id(person, day) for day in days.reported}
        known = {row.pk: row for row in CheckIn.objects.filter(pk__in=ids.values())}
        placement = self._place(patient, days, ids, known)
        reports = self._reports(days, ids, placement, outcome)
        new = list(_not_there(reports, known, patient, outcome))
        outcome.first_on, outcome.last_on = _span(reports)
        if is_dry_run:
            outcome.stored = len(new)
            return outcome
        self._store(person, patient, new, outcome)
        return outcome

    def _id(self, person: Person, day: Day) -> UUID:
        return check_in_id(
            organisation_id=self._target.organisation.pk,
            source=self._mapping.source,
            person=person.source_id,
            day=day.number,
        )

    def _reference(self, person: Person) -> str:
        return f"{self._mapping.person.reference}{person.source_id}"

    def _find(self, person: Person) -> Patient | None:
        return Patient.objects.filter(
            organisation=self._target.organisation, external_ref=self._reference(person)
        ).first()

    def _place(
        self,
        patient: Patient | None,
        days: PersonDays,
        ids: dict[int, UUID],
        known: dict[UUID, CheckIn],
    ) -> Placement:
        """Where this person's days stand already; else at the anchor."""
        last_day = self._last_day if self._last_day is not None else days.last
        asked = self._target.anchor.toordinal() - last_day
        for day in days.reported:
            row = known.get(ids[day.number])
            # An amended one may have moved to another date.
            if row is not None and row.revision == 1:
                stands = Placement(row.local_date.toordinal() - day.number, row.time_zone)
                if self._target.is_anchor_asked and stands.shift != asked:
                    raise AnchorError(stands.local_date(last_day).isoformat())
                self._placed = stands
                return stands
        zone = patient.time_zone if patient else self._target.organisation.time_zone
        if self._placed is not None and self._mapping.day.anchor == "file":
            return Placement(self._placed.shift, zone)
        return Placement(asked, zone)

    def _reports(
        self, days: PersonDays, ids: dict[int, UUID], placement: Placement, outcome: Imported
    ) -> list[tuple[Day, CheckInReport]]:
        reports = []
        for day in days.reported:
            report = self._reader.report(day, ids[day.number], placement, now=self._now)
            if isinstance(report, BadRow):
                outcome.bad.append(report)
                outcome.reported -= 1
            else:
                reports.append((day, report))
        return reports

    def _store(
        self,
        person: Person,
        patient: Patient | None,
        new: Sequence[tuple[Day, CheckInReport]],
        outcome: Imported,
    ) -> None:
        if patient is None or new:
            for start in range(0, max(len(new), 1), DAYS_AT_ONCE):
                patient = self._store_chunk(
                    person, patient, new[start : start + DAYS_AT_ONCE], outcome
                )
        latest = latest_assessment(patient.pk) if patient else None
        if latest is not None:
            outcome.trend = TrendDirection(latest.trend).value

    @transaction.atomic
    def _store_chunk(
        self,
        person: Person,
        patient: Patient | None,
        chunk: Sequence[tuple[Day, CheckInReport]],
        outcome: Imported,
    ) -> Patient:
        patient = patient or self._add(person)
        before = _historical(patient)
        lines = {report.id: day.line for day, report in chunk}
        reports = [report for _, report in chunk]
        received = receive_imported(
            actor=self._actor, patient_id=patient.pk, reports=reports, now=self._now
        )
        for report, answer in zip(reports, received, strict=True):
            if isinstance(answer, DomainError):
                outcome.bad.append(BadRow(lines[report.id], STORED_DIFFERENTLY))
            else:
                outcome.stored += answer.is_new
                outcome.already_there += not answer.is_new
        if chunk:
            aftercare.assess_history(actor=self._actor, patient=patient, now=self._now)
            outcome.historical_alerts += _historical(patient) - before
        return patient

    def _add(self, person: Person) -> Patient:
        """The patient with their care team, or the one that another import has just added."""
        organisation = self._target.organisation
        name = self._mapping.given_name(number=person.number, source_id=person.source_id)
        try:
            with transaction.atomic():
                patient = add_patient(
                    actor=self._actor,
                    organisation=organisation,
                    given_name=name,
                    external_ref=self._reference(person),
                )
        except IntegrityError:
            return Patient.objects.get(
                organisation=organisation, external_ref=self._reference(person)
            )
        join_care_team(
            actor=self._actor,
            patient=patient,
            clinician=self._target.clinician,
            role=ClinicianRole.THERAPIST,
            on=self._now.date(),
        )
        return patient


def _not_there(
    reports: Sequence[tuple[Day, CheckInReport]],
    known: dict[UUID, CheckIn],
    patient: Patient | None,
    outcome: Imported,
) -> Iterator[tuple[Day, CheckInReport]]:
    for day, report in reports:
        row = known.get(report.id)
        if row is None:
            yield day, report
        elif patient is None or row.patient_id != patient.pk:
            outcome.bad.append(BadRow(day.line, SOMEONE_ELSES))
        elif bytes(row.content_digest) != report.digest():
            outcome.bad.append(BadRow(day.line, STORED_DIFFERENTLY))
        else:
            outcome.already_there += 1


def _span(reports: Sequence[tuple[Day, CheckInReport]]) -> tuple[date | None, date | None]:
    dates = [report.local_date for _, report in reports]
    return (min(dates), max(dates)) if dates else (None, None)


def _historical(patient: Patient) -> int:
    return patient.alerts.filter(is_historical=True).count()
