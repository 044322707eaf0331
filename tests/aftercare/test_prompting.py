"""Prompts in life: one row a date, dropped once done, never at night, fewer for who is quiet."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.models import AuditEvent, Patient
from backend.aftercare.back_off import Answer, days_between_prompts, is_prompted, paused_until
from backend.aftercare.models import Decision, Prompt, PromptSchedule
from backend.aftercare.services import assess_due, prompt_due
from backend.notifications.models import Notification
from tests.acting import carried
from tests.aftercare.reporting import report
from tests.people import People, make_device
from tests.phones import Phone

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 2)


def at(day: int, hour: int, minute: int = 0, zone: ZoneInfo = NEW_YORK) -> datetime:
    """On the n-th day from Monday, by the wall clock there."""
    on = MONDAY + timedelta(days=day)
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=zone).astimezone(UTC)


@pytest.fixture
def patient(people: People) -> Patient:
    """Reachable, enrolled this morning, with the evening prompt that nobody had to ask for."""
    make_device(people.patient_user)
    Patient.objects.exclude(pk=people.patient.pk).update(user=None)
    Patient.objects.filter(pk=people.patient.pk).update(enrolled_at=at(0, 9))
    people.patient.refresh_from_db()
    prompt_due(now=at(0, 9))
    return people.patient


def rows() -> list[tuple[int, str]]:
    """Of each prompt the day, and why it was not sent."""
    return [
        ((row.local_date - MONDAY).days, row.why_not)
        for row in Prompt.objects.order_by("local_date", "kind")
    ]


def sweep(first: datetime, last: datetime, *, every: timedelta = timedelta(minutes=20)) -> None:
    moment = first
    while moment <= last:
        prompt_due(now=moment)
        moment += every


def test_everyone_is_asked_once_in_the_evening(patient: Patient):
    sweep(at(0, 9), at(2, 23))
    assert rows() == [(0, ""), (1, ""), (2, "")]
    sent = Notification.objects.filter(kind="prompt").order_by("due_at")
    assert [row.created_at.astimezone(NEW_YORK).hour for row in sent] == [19, 19, 19]
    assert {row.obeys_quiet_hours for row in sent} == {True}
    assert {row.recipient_id for row in sent} == {patient.user_id}
    assert Decision.objects.filter(kind="prompt", reason="schedule").count() == 3


def test_who_joins_after_the_evening_is_not_asked_that_night(people: People):
    make_device(people.patient_user)
    sweep(at(0, 19, 30), at(0, 23))
    assert not Prompt.objects.exists()
    sweep(at(1, 19), at(1, 20))
    assert {row.local_date for row in Prompt.objects.all()} == {MONDAY + timedelta(days=1)}


def test_it_is_dropped_once_the_check_in_is_there(people: People, patient: Patient):
    report(people, now=at(0, 12), mood=6)
    sweep(at(0, 18), at(0, 21))
    assert rows() == [(0, "already_done")]
    assert not Notification.objects.filter(kind="prompt").exists()
    assert Decision.objects.get(kind="prompt").why_not == "already_done"


def test_a_moment_check_in_does_not_stand_for_the_days(people: People, patient: Patient):
    report(people, now=at(0, 12), kind="moment", craving=3)
    sweep(at(0, 18), at(0, 20))
    assert rows() == [(0, "")]


def test_one_that_waits_to_be_sent_is_taken_back_when_the_check_in_comes(
    people: People, patient: Patient
):
    prompt_due(now=at(0, 19))
    report(people, now=at(0, 19, 1), local_date=MONDAY, mood=6)
    assess_due(now=at(0, 19, 1) + timedelta(seconds=2))
    assert Notification.objects.get(kind="prompt").outcome == "cancelled"


def test_what_is_too_late_is_dropped_and_never_sent_at_night(patient: Patient):
    prompt_due(now=at(1, 7))
    assert rows() == [(0, "stale")]
    prompt_due(now=at(1, 20, 30))
    assert rows() == [(0, "stale"), (1, "")]
    sent = Notification.objects.get(kind="prompt")
    assert sent.expires_at == at(1, 22, 30)


def test_after_a_day_and_a_half_without_a_worker_one_message_goes_out(patient: Patient):
    prompt_due(now=at(2, 19, 10))
    assert rows() == [(0, "stale"), (1, "stale"), (2, "")]
    assert Notification.objects.filter(kind="prompt").count() == 1


@pytest.mark.parametrize(
    ("change", "why_not"),
    [
        ({"left_monitoring_at": at(0, 10)}, "no_consent"),
        ({"discharged_at": at(0, 10)}, "no_consent"),
    ],
)
def test_who_left_is_not_prompted(patient: Patient, change: Any, why_not: str):
    Patient.objects.filter(pk=patient.pk).update(**change)
    sweep(at(0, 18), at(0, 20))
    assert rows() == [(0, why_not)]


def test_without_a_phone_nothing_is_queued(people: People, patient: Patient):
    people.patient_user.devices.update(is_private=False)
    sweep(at(0, 18), at(0, 20))
    assert rows() == [(0, "no_device")]


# Silence ------------------------------------------------------------------------------------------


def test_who_has_gone_quiet_is_asked_less_and_less_and_daily_again_once_back(
    people: People, patient: Patient
):
    for day in range(60):
        prompt_due(now=at(day, 19))
    sent = [day for day, why_not in rows() if not why_not]
    apart = [b - a for a, b in pairwise(sent)]
    assert apart == sorted(apart)
    assert set(apart) == {1, 2, 3, 7, 14}
    assert {why_not for _day, why_not in rows()} == {"", "back_off"}
    assert len(rows()) == 60
    report(people, now=at(60, 12), mood=6)
    for day in range(60, 64):
        prompt_due(now=at(day, 19))
    assert rows()[60:] == [(60, "already_done"), (61, ""), (62, ""), (63, "")]


@pytest.mark.parametrize(
    ("silent", "apart"), [(0, 1), (2, 1), (3, 2), (6, 2), (7, 3), (13, 3), (14, 7), (28, 14)]
)
def test_the_rungs(silent: int, apart: int):
    assert days_between_prompts(silent) == apart
    assert is_prompted(on=MONDAY, silent_days=silent, prompted_on=None)
    before = MONDAY - timedelta(days=apart)
    assert is_prompted(on=MONDAY, silent_days=silent, prompted_on=before)
    assert not is_prompted(on=MONDAY, silent_days=silent, prompted_on=before + timedelta(days=1))


@given(
    st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=8, unique_by=lambda a: a[0])
)
def test_a_pause_follows_two_put_aside_in_a_row_and_nothing_else(said: list[tuple[int, bool]]):
    answers = [Answer(at(day, 12), was_dismissed=put_aside) for day, put_aside in said]
    last = [put_aside for _day, put_aside in sorted(said)][-2:]
    until = paused_until(answers)
    assert (until is not None) is (last == [True, True])
    if until is not None:
        pause = until - max(answer.at for answer in answers)
        assert timedelta(days=7) <= pause <= timedelta(days=28)


def test_prompts_put_aside_in_a_row_make_a_pause_too(people: People, patient: Patient):
    for day in range(2):
        prompt_due(now=at(day, 19))
        report(people, now=at(day, 22), local_date=MONDAY + timedelta(days=day), mood=6)
    Prompt.objects.update(dismissed_at=at(1, 20))
    prompt_due(now=at(2, 19))
    assert rows()[-1] == (2, "back_off")


# Times of one's own -------------------------------------------------------------------------------


def settings_of(phone: Phone, **body: Any) -> Any:
    return phone.put("/me/prompt-settings", body)


def own_plan(**items: Any) -> dict[str, Any]:
    return {"kind": "own_plan", "every": "month", "at": "10:00", "day_of_month": 31, **items}


@pytest.fixture
def now() -> Any:
    with time_machine.travel(at(0, 12), tick=False) as traveller:
        yield traveller


def test_one_chooses_ones_times_and_reads_them_back(phone: Phone, patient: Patient, now: Any):
    assert phone.get("/me/prompt-settings").json()["schedules"][0]["at"] == "19:00"
    chosen = {
        "kind": "check_in",
        "every": "weeks",
        "at": "17:30",
        "weekdays": [4, 0, 0],
        "interval_weeks": 2,
    }
    first, again = (settings_of(phone, schedules=[chosen, own_plan()]) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json() == phone.get("/me/prompt-settings").json()
    stored = first.json()["schedules"][0]
    assert (stored["weekdays"], stored["interval_weeks"], stored["at"]) == ([0, 4], 2, "17:30")
    assert AuditEvent.objects.filter(action="prompt_settings.set").count() == 2
    sweep(at(0, 12), at(15, 20), every=timedelta(minutes=30))
    daily = Prompt.objects.filter(kind="check_in").order_by("local_date")
    assert [(row.local_date - MONDAY).days for row in daily] == [0, 4, 14]


def test_two_kinds_at_one_time_are_one_message(phone: Phone, patient: Patient, now: Any):
    settings_of(phone, schedules=[own_plan(every="day", at="19:00")])
    prompt_due(now=at(0, 19))
    found = {row.kind: row.why_not for row in Prompt.objects.all()}
    assert found == {"check_in": "", "own_plan": "merged"}
    assert Notification.objects.filter(kind="prompt").count() == 1


def test_one_that_is_off_is_off(phone: Phone, patient: Patient, now: Any):
    settings_of(phone, schedules=[{"kind": "check_in", "is_on": False}])
    sweep(at(0, 12), at(1, 22))
    assert not Prompt.objects.exists()
    assert PromptSchedule.objects.filter(kind="check_in").count() == 1


def test_another_time_the_same_day_is_no_second_prompt(phone: Phone, patient: Patient, now: Any):
    settings_of(phone, schedules=[{"kind": "check_in", "at": "14:00"}])
    prompt_due(now=at(0, 14))
    now.move_to(at(0, 15))
    settings_of(phone, schedules=[{"kind": "check_in", "at": "17:00"}])
    sweep(at(0, 15), at(1, 18))
    assert rows() == [(0, ""), (1, "")]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"schedules": [{"kind": "check_in", "at": "21:00"}]}, "/schedules/0/at", "in_quiet_hours"),
        ({"schedules": [{"kind": "check_in", "at": "07:59"}]}, "/schedules/0/at", "in_quiet_hours"),
        ({"schedules": [{"kind": "check_in", "every": "weeks"}]}, "/schedules/0/weekdays", "empty"),
        (
            {"schedules": [own_plan(day_of_month=None)]},
            "/schedules/0/day_of_month",
            "empty",
        ),
        ({"schedules": [own_plan(), own_plan()]}, "/schedules/1/kind", "contradiction"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone", "unknown_time_zone"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_changes(
    phone: Phone, patient: Patient, body: Any, pointer: str, code: str
):
    before = phone.get("/me/prompt-settings").json()
    problem = settings_of(phone, **body).json()
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    assert phone.get("/me/prompt-settings").json() == before


def test_a_flight_east_and_back_asks_once_a_date(
    people: People, phone: Phone, patient: Patient, now: Any
):
    tokyo = ZoneInfo("Asia/Tokyo")
    sweep(at(0, 12), at(0, 20))
    now.move_to(at(2, 9, zone=tokyo))
    assert settings_of(phone, time_zone="Asia/Tokyo").json()["time_zone"] == "Asia/Tokyo"
    sweep(at(2, 9, zone=tokyo), at(3, 20, zone=tokyo))
    report(people, now=at(3, 22, zone=tokyo), local_date=MONDAY + timedelta(days=2), mood=6)
    now.move_to(at(3, 9))
    settings_of(phone, time_zone="America/New_York")
    sweep(at(3, 9), at(4, 22))
    assert [day for day, _why in rows()] == [0, 1, 2, 3, 4]
    assert rows() == [(0, ""), (1, "stale"), (2, ""), (3, ""), (4, "")]
    for row in Notification.objects.filter(kind="prompt"):
        assert row.created_at.astimezone(NEW_YORK).hour in (5, 6, 19)


# Putting off --------------------------------------------------------------------------------------


def snooze(phone: Phone, row: Prompt, until: datetime) -> None:
    answer = phone.post(f"/me/nudges/{row.pk}/snooze", {"until": until.isoformat()})
    assert answer.status_code == 200


def test_one_that_was_put_off_comes_back_once(phone: Phone, patient: Patient, now: Any):
    prompt_due(now=at(0, 19))
    now.move_to(at(0, 19, 5))
    snooze(phone, Prompt.objects.get(), at(0, 20))
    sweep(at(0, 19, 10), at(0, 20, 50), every=timedelta(minutes=5))
    states = [row.outcome for row in Notification.objects.order_by("created_at")]
    assert states == ["cancelled", ""]
    assert Decision.objects.filter(source="snooze:check_in", chosen="again").count() == 1


def test_and_not_once_it_is_done_nor_at_night(
    people: People, phone: Phone, patient: Patient, now: Any
):
    prompt_due(now=at(0, 19))
    now.move_to(at(0, 19, 5))
    snooze(phone, Prompt.objects.get(), at(0, 20))
    report(people, now=at(0, 19, 30), local_date=MONDAY, mood=6)
    prompt_due(now=at(0, 20))
    prompt_due(now=at(1, 19))
    now.move_to(at(1, 19, 5))
    snooze(phone, Prompt.objects.get(local_date=MONDAY + timedelta(days=1)), at(1, 22))
    prompt_due(now=at(1, 22))
    assert Notification.objects.filter(kind="prompt", outcome="").count() == 0
    said = Decision.objects.filter(source="snooze:check_in").order_by("at")
    assert [row.why_not for row in said] == ["already_done", "quiet_hours"]


# Races --------------------------------------------------------------------------------------------


def test_any_number_of_sweeps_make_one_prompt(committed_db: None, people: People):
    make_device(people.patient_user)
    prompt_due(now=at(0, 9))
    start = threading.Barrier(8)

    def run() -> None:
        start.wait()
        try:
            prompt_due(now=at(0, 19))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=carried(run)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prompt_due(now=at(0, 19, 1))
    assert Prompt.objects.filter(patient=people.patient).count() == 1
    assert Notification.objects.filter(patient=people.patient, kind="prompt").count() == 1
    assert Decision.objects.filter(patient=people.patient).count() == 1
