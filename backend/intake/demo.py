"""Puts the demo cohort on the demo therapist's caseload. Only for development."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from msgspec import structs

from backend import errors
from backend.accounts import demo
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Clinician, ClinicianRole, Organisation, Patient
from backend.accounts.services import add_patient, join_care_team
from backend.aftercare import services as aftercare
from backend.intake.cohort import Person, Story, generate_cohort
from backend.intake.demo_programme import ATTENDING, seed_programme
from backend.intake.services import receive_imported, receive_reports
from backend.tracking.models import Source
from backend.tracking.reports import CheckInReport
from backend.tracking.selectors import recorded_span

ACTOR = Actor.system("seed_cohort")
HOW_LONG_AGO = {
    Story.IN_TROUBLE: timedelta(minutes=90),
    Story.LAPSING: timedelta(minutes=25),
    Story.DECLINING: timedelta(minutes=5),
}


def seed_cohort(*, now: datetime, people: int = 40, days: int = 90) -> int:
    """Stores whoever has no diary yet and returns how many; called again it stores nobody.

    The past is imported: its alerts are historical and closed, nobody gets a message. The last
    day of the live stories is answered as it is in life, so that there are open alerts. Raises
    `NotFound` before `seed_demo` has made the organisation.
    """
    organisation = Organisation.objects.filter(name=demo.NAME).first()
    therapist = Clinician.objects.filter(
        organisation=organisation, roles__contains=[ClinicianRole.THERAPIST.value]
    ).first()
    if organisation is None or therapist is None:
        raise errors.NotFound("no_demo", "There is no demo organisation yet.")
    zone = ZoneInfo(organisation.time_zone)
    today = now.astimezone(zone).date()
    cohort = generate_cohort(end_on=today, zone=zone, people=people, days=days)
    attending = {person.story: person.number for person in reversed(cohort)}
    seeded = 0
    for person in cohort:
        attends = attending[person.story] == person.number and person.story in ATTENDING
        seeded += _seed(person, organisation, therapist, today, attends=attends, now=now)
    if seeded:
        aftercare.assess_due(now=now)
    return seeded


@transaction.atomic
def _seed(
    person: Person,
    organisation: Organisation,
    therapist: Clinician,
    today: date,
    *,
    attends: bool,
    now: datetime,
) -> bool:
    patient = access_patient(ACTOR, _patient(person, organisation).pk, lock=True)
    if recorded_span(patient.pk) is not None:
        return False
    join_care_team(
        actor=ACTOR,
        patient=patient,
        clinician=therapist,
        role=ClinicianRole.THERAPIST,
        on=today - timedelta(days=120),
    )
    if attends:
        staff = Actor(user_id=therapist.user_id, role=Role.CLINICIAN)
        seed_programme(patient, person.story, actor=staff, now=now)
    past = [report for report in person.diary if report.local_date < today]
    receive_imported(actor=ACTOR, patient_id=patient.pk, reports=past, now=now)
    if not person.story.is_live:
        aftercare.assess_history(actor=ACTOR, patient=patient, now=now)
        return True
    # Their present is left to the evaluation that follows: it finds the decline as it happens.
    for report in person.diary[len(past) :]:
        _store_live(patient, report, at=now - HOW_LONG_AGO[person.story], now=now)
    return True


def _patient(person: Person, organisation: Organisation) -> Patient:
    """The demo patient with the account stands for the first person."""
    if person.number == 0:
        known = Patient.objects.filter(organisation=organisation, user__isnull=False).first()
    else:
        reference = f"demo-{person.number:02}"
        known = Patient.objects.filter(organisation=organisation, external_ref=reference).first()
    return known or add_patient(
        actor=ACTOR,
        organisation=organisation,
        given_name=person.given_name,
        family_name=person.family_name,
        born_on=person.born_on,
        external_ref=f"demo-{person.number:02}",
    )


def _store_live(patient: Patient, report: CheckInReport, *, at: datetime, now: datetime) -> None:
    """Receives one check-in as if the phone had sent it at that moment."""
    zone = ZoneInfo(patient.time_zone)
    midnight = datetime.combine(report.local_date, time(), tzinfo=zone)
    moment = min(max(at, midnight), now).astimezone(zone)
    sent = structs.replace(report, recorded_at=moment)
    receive_reports(actor=ACTOR, patient=patient, reports=[sent], source=Source.APP, now=moment)
