"""An alert that somebody acted on comes back on the day that they chose, and is told of once."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from backend import errors
from backend.accounts.access import visible_patients
from backend.accounts.models import AuditEvent, CareTeamMember, Clinician, ClinicianRole, Patient
from backend.aftercare.caseload import CaseloadLine, caseload
from backend.aftercare.messages import message_for
from backend.aftercare.models import Alert, AlertAct, OnCallShift
from backend.aftercare.services import (
    acknowledge_alert,
    act_on_alert,
    look_again_due,
    resolve_alert,
)
from backend.notifications.models import Notification
from tests.acting import carried
from tests.aftercare.reporting import NOON, report
from tests.people import People, actor_for, make_clinician, make_tie
from tests.phones import Phone

DAY = timedelta(days=1)
ON = date(2026, 3, 9)
# Midnight where the patient is: the clocks of New York change on the 8th.
BEGINS = datetime.fromisoformat("2026-03-09T04:00:00+00:00")
MORNING = BEGINS + timedelta(hours=9)


@pytest.fixture
def alert(people: People) -> Alert:
    found = report(people, craving=9).alert
    assert found is not None
    Notification.objects.all().delete()
    return found


def act(people: People, alert: Alert, on: date | None = ON, *, now: datetime = NOON) -> Alert:
    return act_on_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=uuid4(),
        note="Called; will see.",
        look_again_on=on,
        now=now,
    )


def told() -> list[str]:
    rows = Notification.objects.filter(key__startswith="look_again:")
    return sorted(row.recipient.clinician.display_name for row in rows)


def line(people: People, *, now: datetime) -> CaseloadLine:
    patients = visible_patients(actor_for(people.therapist.user))
    return next(one for one in caseload(patients, language="en", now=now))


def test_it_is_told_once_to_whoever_chose_the_day_however_often_it_is_swept(
    people: People, alert: Alert
):
    colleague = make_clinician(people.organisation, "cleo")
    make_tie(people.patient, colleague)
    act(people, alert)
    assert look_again_due(now=BEGINS - timedelta(seconds=1)) == 0
    assert [look_again_due(now=MORNING) for _ in range(3)] == [1, 0, 0]
    assert look_again_due(now=MORNING + 5 * DAY) == 0
    assert told() == ["Bob"]
    (row,) = Notification.objects.filter(key__startswith="look_again:")
    assert (row.obeys_quiet_hours, row.priority, row.cancelled_at) == (True, 5, None)
    assert AuditEvent.objects.filter(action="alert.look_again").count() == 1
    said = message_for(row, actor=actor_for(people.therapist.user), language="en")
    assert said.body.endswith("Somebody chose this day to look at it again.")


def test_it_stands_on_the_caseload_from_its_day_on_with_its_reason(people: People, alert: Alert):
    act(people, alert)
    before = line(people, now=BEGINS - timedelta(seconds=1))
    assert (list(before.unanswered), before.reason) == ([], "Reported craving 9 of 10.")
    back = line(people, now=MORNING)
    assert back.unanswered == [alert]
    assert back.reason == "To be looked at again since Monday. Reported craving 9 of 10."
    assert back.rank < before.rank
    assert back.due_at is None


@pytest.mark.parametrize("how", ["acted", "acknowledged", "resolved"])
def test_what_was_done_meanwhile_or_on_the_day_is_told_no_more(
    people: People, alert: Alert, how: str
):
    act(people, alert)
    said: dict[str, Any] = {
        "actor": actor_for(people.supervisor.user),
        "patient_id": people.patient.pk,
        "alert_id": alert.pk,
        "act_id": uuid4(),
        "now": MORNING,
    }
    if how == "acted":
        act_on_alert(note="Met them.", **said)
    elif how == "acknowledged":
        acknowledge_alert(**said)
    else:
        resolve_alert(outcome="reached", note="", **said)
    assert look_again_due(now=MORNING) == 0
    assert told() == []
    assert line(people, now=MORNING).back == []


def test_having_seen_it_before_its_day_keeps_the_day(people: People, alert: Alert):
    act(people, alert)
    acknowledge_alert(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        alert_id=alert.pk,
        act_id=uuid4(),
        now=NOON + DAY,
    )
    assert look_again_due(now=MORNING) == 1


def test_what_is_done_after_it_was_told_takes_back_what_has_not_left(people: People, alert: Alert):
    act(people, alert)
    look_again_due(now=MORNING)
    act(people, alert, ON + 3 * DAY, now=MORNING)
    (row,) = Notification.objects.filter(key__startswith="look_again:")
    assert row.cancelled_at == MORNING
    assert look_again_due(now=MORNING + 2 * DAY) == 0
    assert look_again_due(now=MORNING + 3 * DAY) == 1
    assert told() == ["Bob", "Bob"]


def test_of_a_patient_who_left_the_programme_nobody_is_told(people: People, alert: Alert):
    act(people, alert)
    Patient.objects.filter(pk=people.patient.pk).update(discharged_at=NOON + DAY)
    assert look_again_due(now=MORNING) == 0
    assert told() == []


def leave(people: People, clinician: Clinician) -> None:
    ties = CareTeamMember.objects.filter(patient=people.patient, clinician=clinician)
    assert ties.update(ended_on=(NOON + DAY).date()) == 1


def test_who_left_the_care_team_is_not_told_and_the_others_are(people: People, alert: Alert):
    cleo = make_clinician(people.organisation, "cleo")
    make_tie(people.patient, cleo)
    act(people, alert)
    leave(people, people.therapist)
    assert look_again_due(now=MORNING) == 1
    assert told() == ["Cleo"]


@pytest.mark.parametrize(
    ("rota", "expected"), [("none", ["Dana"]), ("ned", ["Ned"]), ("gap", ["Sam"])]
)
def test_without_a_care_team_whoever_covers_is_told(
    people: People, alert: Alert, rota: str, expected: list[str]
):
    ned = make_clinician(people.organisation, "ned", ClinicianRole.ON_CALL)
    if rota == "none":
        Clinician.objects.filter(pk=ned.pk).update(roles=["therapist"])
    else:
        starts_at = MORNING - DAY if rota == "ned" else MORNING - 3 * DAY
        for begins in (starts_at, MORNING + 9 * DAY):
            OnCallShift.objects.create(
                organisation=people.organisation, clinician=ned, starts_at=begins,
                ends_at=begins + 2 * DAY, created_at=NOON,
            )  # fmt: skip
    act(people, alert)
    leave(people, people.therapist)
    look_again_due(now=MORNING)
    assert told() == expected


def test_another_organisations_clinicians_are_never_told(people: People, alert: Alert):
    Clinician.objects.filter(pk=people.elsewhere_therapist.pk).update(roles=["on_call"])
    act(people, alert)
    leave(people, people.therapist)
    look_again_due(now=MORNING)
    assert people.elsewhere_therapist.display_name not in told()


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2026, 3, 4), "in_the_past"),
        (date(2020, 1, 1), "in_the_past"),
        (date(2026, 6, 3), "too_many_days"),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused_and_nothing_stored(
    people: People, alert: Alert, on: date, code: str
):
    with pytest.raises(errors.Invalid) as refused:
        act(people, alert, on)
    assert [(one.pointer, one.code) for one in refused.value.problems] == [("/look_again_on", code)]
    assert not AlertAct.objects.filter(kind="acted").exists()
    alert.refresh_from_db()
    assert (alert.look_again_on, alert.acknowledged_at) == (None, None)


def test_what_a_colleague_does_before_the_day_does_not_undo_it(people: People, alert: Alert):
    act(people, alert)
    assert act(people, alert, None, now=NOON + timedelta(hours=1)).look_again_on == ON
    assert look_again_due(now=MORNING) == 1
    assert line(people, now=MORNING).back
    assert act(people, alert, None, now=MORNING).look_again_on is None
    assert not line(people, now=MORNING).back


def test_by_the_api(people: People):
    now = datetime.now().astimezone()
    found = report(people, now=now, craving=9).alert
    assert found is not None
    phone, on = Phone.of(people.therapist.user), (now + 3 * DAY).date().isoformat()
    path = f"/patients/{people.patient.pk}/alerts/{found.pk}"
    sent = {"id": str(uuid4()), "note": "Called.", "look_again_on": on}
    for _ in range(2):
        assert phone.post(f"{path}/act", sent).json()["look_again_on"] == on
    late = {**sent, "id": str(uuid4()), "look_again_on": "2020-01-01"}
    assert phone.post(f"{path}/act", late).status_code == 400
    stranger = Phone.of(people.stranger.user)
    assert stranger.post(f"{path}/act", {**sent, "id": str(uuid4())}).status_code == 404
    done = {"id": str(uuid4()), "outcome": "reached"}
    assert phone.post(f"{path}/resolve", done).json()["look_again_on"] is None


@pytest.mark.usefixtures("committed_db")
def test_two_sweepers_at_once_tell_once(people: People, alert: Alert):
    act(people, alert)
    counts: list[int] = []

    def sweep() -> None:
        counts.append(look_again_due(now=MORNING))
        connection.close()

    threads = [threading.Thread(target=carried(sweep)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert told() == ["Bob"]
