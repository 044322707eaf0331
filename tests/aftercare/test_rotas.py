"""Who is on call: shifts, their gaps, and whom an alert reaches by them, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.models import Clinician, ClinicianRole
from backend.aftercare.ladder import snapshot_for
from backend.aftercare.models import Alert, EscalationLadder, OnCallShift
from backend.aftercare.promise import Promise, monitoring_promise
from backend.aftercare.rota import gaps
from backend.aftercare.services import escalate_due
from backend.notifications.models import Notification
from backend.notifications.services import beat
from backend.operations.invariants import ALERT_WITHOUT_MESSAGE
from backend.rows import one
from tests.aftercare.reporting import NOON, report
from tests.people import People, make_clinician, make_device
from tests.phones import Phone

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HIGH_WAIT = timedelta(hours=2)


@pytest.fixture
def office(people: People) -> Phone:
    return Phone.of(people.administrator.user)


@pytest.fixture
def ned(people: People) -> Clinician:
    """A second one who is on call."""
    return make_clinician(people.organisation, "ned", ClinicianRole.ON_CALL)


def shift(clinician: Clinician, starts_at: datetime, ends_at: datetime, **more: Any) -> OnCallShift:
    return OnCallShift.objects.create(
        pk=uuid4(),
        organisation=clinician.organisation,
        clinician=clinician,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=starts_at,
        **more,
    )


def phones(*clinicians: Clinician) -> None:
    for clinician in clinicians:
        make_device(clinician.user)


def told() -> list[str]:
    rows = Notification.objects.filter(kind="alert").order_by("created_at", "key")
    return [row.recipient.clinician.display_name for row in rows]


def ids(*clinicians: Clinician) -> list[str]:
    return [str(clinician.user_id) for clinician in clinicians]


# Whom an alert reaches ----------------------------------------------------------------------------


def test_without_a_rota_everybody_with_the_role_is_on_call(people: People, ned: Clinician):
    assert snapshot_for(people.patient, now=NOON).people[1] == ids(people.on_call, ned)
    shift(ned, NOON - 3 * DAY, NOON - 2 * DAY)
    shift(ned, NOON + 2 * DAY, NOON + 3 * DAY, cancelled_at=NOON)
    assert snapshot_for(people.patient, now=NOON).people[1] == ids(people.on_call, ned)


def test_the_rung_names_who_has_a_shift_at_the_opening(people: People, ned: Clinician):
    shift(ned, NOON - HOUR, NOON + HOUR)
    shift(people.on_call, NOON + HOUR, NOON + DAY)
    snapshot = snapshot_for(people.patient, now=NOON)
    assert snapshot.people == [ids(people.therapist), ids(ned), ids(people.supervisor)]
    assert [one["by_rota"] for one in snapshot.rungs] == [False, True, False]


def test_a_shift_holds_from_its_first_instant_until_just_before_its_last(
    people: People, ned: Clinician
):
    shift(ned, NOON, NOON + HOUR)
    shift(people.on_call, NOON + HOUR, NOON + DAY)
    assert snapshot_for(people.patient, now=NOON).people[1] == ids(ned)
    assert snapshot_for(people.patient, now=NOON + HOUR).people[1] == ids(people.on_call)


def test_it_is_told_to_who_is_on_shift_when_its_turn_comes(people: People, ned: Clinician):
    phones(people.therapist, people.on_call, people.supervisor, ned)
    shift(ned, NOON - HOUR, NOON + HOUR)
    shift(people.on_call, NOON + HOUR, NOON + DAY)
    alert = report(people, craving=9).alert
    assert alert is not None and alert.ladder[1] == ids(ned)
    escalate_due(now=NOON + HIGH_WAIT)
    alert.refresh_from_db()
    assert (alert.ladder[1], told()) == (ids(people.on_call), ["Bob", "Dana"])


def test_where_nobody_is_on_shift_then_those_of_the_opening_are_told(
    people: People, ned: Clinician
):
    phones(people.therapist, people.on_call, people.supervisor, ned)
    shift(ned, NOON - HOUR, NOON + HOUR)
    shift(people.on_call, NOON + DAY, NOON + 2 * DAY)
    report(people, craving=9)
    escalate_due(now=NOON + HIGH_WAIT)
    assert told() == ["Bob", "Ned"]


def test_in_a_gap_the_rung_is_passed_over_at_once_and_the_supervisor_told(
    people: People, ned: Clinician
):
    phones(people.therapist, people.on_call, people.supervisor, ned)
    shift(ned, NOON - DAY, NOON - HOUR)
    shift(ned, NOON + DAY, NOON + 2 * DAY)
    alert = report(people, craving=9).alert
    assert alert is not None and alert.ladder[1] == []
    escalate_due(now=NOON + HIGH_WAIT)
    assert told() == ["Bob", "Sam"]


def test_somebody_whose_shift_begins_later_is_told_although_the_opening_had_nobody(
    people: People, ned: Clinician
):
    phones(people.therapist, people.supervisor, ned)
    shift(ned, NOON - DAY, NOON - HOUR)
    shift(ned, NOON + HOUR, NOON + DAY)
    report(people, craving=9)
    escalate_due(now=NOON + HIGH_WAIT)
    assert told() == ["Bob", "Ned"]


def test_the_supervisor_stays_the_last_rung_while_on_shift_too(people: People, ned: Clinician):
    shift(people.supervisor, NOON - HOUR, NOON + DAY)
    snapshot = snapshot_for(people.patient, now=NOON)
    assert snapshot.people[1:] == [ids(people.supervisor), ids(people.supervisor)]


def test_who_lost_the_role_or_the_account_is_on_call_no_more(people: People, ned: Clinician):
    shift(ned, NOON - HOUR, NOON + DAY)
    shift(people.on_call, NOON - HOUR, NOON + DAY)
    ned.roles = [ClinicianRole.THERAPIST.value]
    ned.save()
    people.on_call.user.is_active = False
    people.on_call.user.save()
    assert snapshot_for(people.patient, now=NOON).people[1] == []


def test_new_evidence_starts_over_with_who_is_on_shift_then(people: People, ned: Clinician):
    first_on_call(people)
    phones(people.on_call, people.supervisor, ned)
    shift(ned, NOON - HOUR, NOON + HOUR)
    shift(people.on_call, NOON + HOUR, NOON + DAY)
    report(people, craving=9)
    report(people, now=NOON + 90 * MINUTE, craving=9)
    assert told() == ["Ned", "Dana"]


def first_on_call(people: People) -> None:
    rungs: list[dict[str, Any]] = [
        {"who": who, "silent": {"critical": 5, "high": 60}, "ways": [], "clinician_ids": [],
         "user_ids": []}
        for who in ("on_call", "clinical_supervisor")
    ]  # fmt: skip
    EscalationLadder.objects.create(
        organisation=people.organisation,
        version=1,
        rungs=rungs,
        reason="The on-call phone is the first.",
        decided_by="Ada",
        review_on=(NOON + 90 * DAY).date(),
        changed_by=people.administrator.user,
        changed_at=NOON,
    )


def test_an_empty_first_level_is_no_alert_without_a_message(people: People, ned: Clinician):
    first_on_call(people)
    phones(people.supervisor)
    shift(ned, NOON - DAY, NOON - HOUR)
    shift(ned, NOON + DAY, NOON + 2 * DAY)
    alert = report(people, craving=9).alert
    assert alert is not None and alert.ladder[0] == []
    assert one(ALERT_WITHOUT_MESSAGE, {"now": NOON + HOUR}) == (0,)
    Notification.objects.filter(kind="alert").delete()
    assert one(ALERT_WITHOUT_MESSAGE, {"now": NOON + HOUR}) == (1,)


# What is promised ---------------------------------------------------------------------------------


def promise(people: People, alert: Alert, now: datetime) -> Promise:
    beat(process="relay", now=now)
    return monitoring_promise(people.patient, alert=alert, is_late=False, language="en", now=now)


SATURDAY_NIGHT = datetime(2026, 3, 8, 4, 0, tzinfo=UTC)
"""23:00 in New York, three hours before the clocks go forward there."""


def test_the_promise_holds_at_every_minute_of_a_rota(people: People, ned: Clinician):
    """Somebody on shift who can be reached, or the working hours; a gap tells of nobody."""
    first_on_call(people)
    phones(ned)
    people.supervisor.roles = []
    people.supervisor.save()
    begins = SATURDAY_NIGHT
    shift(ned, begins, begins + 6 * HOUR)
    shift(ned, begins + 7 * HOUR, begins + 12 * HOUR)
    for minutes in range(0, 13 * 60, 20):
        now = begins + minutes * MINUTE
        snapshot = snapshot_for(people.patient, now=now)
        alert = Alert(patient=people.patient, severity="high", **snapshot.columns())
        said = promise(people, alert, now)
        on_shift = minutes < 6 * 60 or 7 * 60 <= minutes < 12 * 60
        stays = minutes <= 2 * 60 or 7 * 60 <= minutes <= 8 * 60
        if not on_shift and minutes < 12 * 60:
            assert (said.told, said.expected_by) == (False, None), minutes
            assert "obody has been told" in said.statement
        elif on_shift and stays:
            assert said.expected_by == now + timedelta(hours=4), minutes
            assert "the clinician on call" in said.statement
        elif on_shift:
            assert "not working at this hour" in said.statement, minutes


@pytest.mark.parametrize("on_shift", [True, False])
def test_on_a_holiday_only_who_is_on_shift_is_expected_to_look(
    people: People, ned: Clinician, on_shift: bool
):
    first_on_call(people)
    phones(ned)
    organisation = people.patient.organisation
    hours = organisation.monitoring_hours
    organisation.monitoring_hours = {**hours, "holidays": {"2026-03-04": "Founders' Day"}}
    if on_shift:
        shift(ned, NOON - HOUR, NOON + DAY)
    alert = report(people, craving=9).alert
    assert alert is not None
    said = promise(people, alert, NOON)
    next_day = datetime(2026, 3, 5, 18, 0, tzinfo=UTC)
    assert said.expected_by == (NOON + timedelta(hours=4) if on_shift else next_day)
    assert ("not working at this hour" in said.statement) is not on_shift


def test_a_late_check_in_is_nobodys_night(people: People, ned: Clinician):
    first_on_call(people)
    phones(ned)
    shift(ned, SATURDAY_NIGHT - HOUR, SATURDAY_NIGHT + DAY)
    alert = report(people, now=SATURDAY_NIGHT, craving=9).alert
    beat(process="relay", now=SATURDAY_NIGHT)
    said = monitoring_promise(
        people.patient, alert=alert, is_late=True, language="en", now=SATURDAY_NIGHT
    )
    assert said.expected_by == datetime(2026, 3, 9, 17, 0, tzinfo=UTC)


def test_an_unreachable_clinician_on_shift_is_told_nothing(people: People, ned: Clinician):
    first_on_call(people)
    shift(ned, NOON - HOUR, NOON + DAY)
    alert = report(people, craving=9).alert
    assert alert is not None
    assert promise(people, alert, NOON).told is False


def test_past_the_last_rung_the_promise_says_that_nobody_answered(people: People):
    phones(people.therapist, people.on_call, people.supervisor)
    alert = report(people, craving=9).alert
    assert alert is not None
    for step in (1, 2, 3):
        escalate_due(now=NOON + step * HIGH_WAIT)
    alert.refresh_from_db()
    said = promise(people, alert, NOON + 3 * HIGH_WAIT + MINUTE)
    assert (said.told, "nobody has answered" in said.statement) == (False, True)
    report(people, now=NOON + 4 * HIGH_WAIT, craving=9)
    alert.refresh_from_db()
    assert promise(people, alert, NOON + 4 * HIGH_WAIT).told is True


# What administrators enter ------------------------------------------------------------------------


def body(
    clinician: Clinician, *, begins: timedelta, lasts: timedelta, **more: Any
) -> dict[str, Any]:
    starts_at = timezone.now().replace(microsecond=0) + begins
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + lasts).isoformat()}
    return {"id": str(uuid4()), "clinician_id": str(clinician.pk), **times, **more}


def test_entered_shown_with_its_gaps_and_taken_back(people: People, office: Phone, ned: Clinician):
    first = body(ned, begins=-HOUR, lasts=2 * DAY)
    assert office.post("/on-call-shifts", first).status_code == 201
    assert office.post("/on-call-shifts", first).status_code == 200
    later = body(people.on_call, begins=3 * DAY, lasts=7 * DAY)
    assert office.post("/on-call-shifts", later).status_code == 201
    shown = Phone.of(people.therapist.user).get("/on-call").json()
    assert (shown["time_zone"], shown["has_rota"]) == ("America/New_York", True)
    assert [one["name"] for one in shown["now"]] == ["Ned"]
    assert [one["id"] for one in shown["shifts"]] == [first["id"], later["id"]]
    assert len(shown["gaps"]) == 2
    assert datetime.fromisoformat(shown["gaps"][0]["ends_at"]) == datetime.fromisoformat(
        later["starts_at"]
    )
    assert office.delete(f"/on-call-shifts/{first['id']}").status_code == 204
    assert office.delete(f"/on-call-shifts/{first['id']}").status_code == 204
    assert office.post("/on-call-shifts", first).json()["code"] == "shift_cancelled"
    shown = office.get("/on-call").json()
    assert (shown["has_rota"], [one["name"] for one in shown["now"]]) == (False, ["Dana", "Ned"])


@pytest.mark.parametrize(
    ("begins", "lasts", "code"),
    [
        (HOUR, -HOUR, "contradiction"),
        (HOUR, 8 * DAY, "out_of_bounds"),
        (-2 * DAY, DAY, "in_the_past"),
        (370 * DAY, DAY, "too_many_days"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(
    office: Phone, ned: Clinician, begins: timedelta, lasts: timedelta, code: str
):
    refused = office.post("/on-call-shifts", body(ned, begins=begins, lasts=lasts))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    assert OnCallShift.objects.count() == 0


def test_only_who_may_see_every_patient_is_put_on_call(people: People, office: Phone):
    for clinician, code in (
        (people.therapist, "sees_no_patients"),
        (people.elsewhere_therapist, "not_in_organisation"),
    ):
        refused = office.post("/on-call-shifts", body(clinician, begins=HOUR, lasts=HOUR))
        assert refused.json()["errors"][0]["code"] == code


def test_an_id_that_stands_elsewhere_or_with_other_times_overwrites_nothing(
    people: People, office: Phone, ned: Clinician
):
    first = body(ned, begins=HOUR, lasts=HOUR)
    office.post("/on-call-shifts", first)
    other = {**body(ned, begins=HOUR, lasts=2 * HOUR), "id": first["id"]}
    refused = office.post("/on-call-shifts", other)
    assert (refused.json()["code"], refused.json()["stored"]["id"]) == ("id_conflict", first["id"])
    strange = shift(people.elsewhere_therapist, NOON, NOON + HOUR)
    taken = office.post("/on-call-shifts", {**other, "id": str(strange.pk)})
    assert (taken.json()["code"], "stored" in taken.json()) == ("id_in_use", False)
    assert office.delete(f"/on-call-shifts/{strange.pk}").status_code == 404


SPANS = st.lists(
    st.tuples(st.integers(-50, 120), st.integers(1, 60)).map(lambda one: (one[0], sum(one))),
    max_size=6,
)


@given(SPANS)
def test_a_gap_is_every_minute_without_a_shift(spans: list[tuple[int, int]]):
    shifts = [(NOON + start * MINUTE, NOON + end * MINUTE) for start, end in spans]
    found = gaps(shifts, since=NOON, until=NOON + 100 * MINUTE)
    for minute in range(100):
        covered = any(start <= minute < end for start, end in spans)
        in_gap = any(start <= NOON + minute * MINUTE < end for start, end in found)
        assert in_gap is not covered
