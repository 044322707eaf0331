"""Quiet hours as the patient chose them: what cannot be is refused, prompts hold to the rest."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from backend.accounts.models import AuditEvent, Patient
from backend.aftercare.services import prompt_due
from tests.aftercare.test_prompting import at, rows, settings_of, sweep
from tests.people import People, make_device
from tests.phones import Phone


@pytest.fixture
def patient(people: People) -> Patient:
    """Reachable, and asked in the evening as everybody is."""
    make_device(people.patient_user)
    Patient.objects.exclude(pk=people.patient.pk).update(user=None)
    Patient.objects.filter(pk=people.patient.pk).update(enrolled_at=at(0, 9))
    people.patient.refresh_from_db()
    prompt_due(now=at(0, 9))
    return people.patient


@pytest.fixture
def now() -> Any:
    with time_machine.travel(at(0, 12), tick=False) as traveller:
        yield traveller


NIGHTS = [
    ({"quiet_from": "16:00", "quiet_until": "08:01"}, "/quiet_from", "quiet_too_long"),
    ({"quiet_from": "15:59"}, "/quiet_from", "quiet_too_long"),
    ({"quiet_until": "13:01"}, "/quiet_until", "quiet_too_long"),
    ({"quiet_from": "19:00"}, "/quiet_from", "covers_a_prompt"),
    ({"quiet_from": "18:00", "quiet_until": "02:00"}, "/quiet_from", "covers_a_prompt"),
    (
        {"quiet_from": "22:00", "schedules": [{"kind": "check_in", "at": "22:00"}]},
        "/schedules/0/at",
        "in_quiet_hours",
    ),
]


@pytest.mark.parametrize(("body", "pointer", "code"), NIGHTS)
def test_quiet_hours_that_cannot_be_are_refused(
    phone: Phone, patient: Patient, now: Any, body: Any, pointer: str, code: str
):
    problem = settings_of(phone, **body).json()
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    patient.refresh_from_db()
    assert patient.quiet_hours is None
    assert not AuditEvent.objects.filter(action="prompt_settings.set").exists()


@pytest.mark.parametrize("quiet_from", ["24:00", "9:00", "", 21, "21:00:00"])
def test_what_is_no_time_of_day_is_refused(phone: Phone, patient: Patient, quiet_from: Any):
    assert settings_of(phone, quiet_from=quiet_from).status_code == 400


def test_one_chooses_ones_own_quiet_hours(phone: Phone, patient: Patient, now: Any):
    body = {"quiet_from": "22:30", "schedules": [{"kind": "check_in", "at": "22:00"}]}
    first, again = settings_of(phone, **body), settings_of(phone, **body)
    assert first.json() == again.json() == phone.get("/me/prompt-settings").json()
    assert (first.json()["quiet_from"], first.json()["quiet_until"]) == ("22:30", "08:00")
    facts = [event.facts for event in AuditEvent.objects.filter(action="prompt_settings.set")]
    assert [one["fields"] for one in facts if "quiet_hours" in one["fields"]] == [["quiet_hours"]]
    sweep(at(0, 21), at(0, 23))
    assert rows() == [(0, "")]


def test_they_may_be_none_at_all_and_moved_with_the_prompt(
    phone: Phone, patient: Patient, now: Any
):
    assert settings_of(phone, quiet_from="08:00").status_code == 200
    assert settings_of(phone, schedules=[{"kind": "check_in", "at": "03:00"}]).status_code == 200
    prompt_due(now=at(1, 3))
    assert rows()[-1] == (1, "")
    back = settings_of(phone, quiet_from="21:00", schedules=[{"kind": "check_in"}])
    assert (back.status_code, back.json()["quiet_from"]) == (200, "21:00")


def test_a_prompt_that_is_off_may_lie_in_them(phone: Phone, patient: Patient, now: Any):
    settings_of(phone, schedules=[{"kind": "check_in", "is_on": False}])
    assert settings_of(phone, quiet_from="18:00").status_code == 200
    assert settings_of(phone, schedules=[{"kind": "check_in"}]).status_code == 400


def test_a_prompt_that_flies_into_them_is_not_sent(phone: Phone, patient: Patient, now: Any):
    """Late by a flight east over the evening: then it is night there."""
    settings_of(phone, quiet_from="20:00", quiet_until="09:00")
    now.move_to(at(0, 18, 50))
    settings_of(phone, time_zone="America/Halifax")
    prompt_due(now=at(0, 19, 10))
    assert rows() == [(0, "quiet_hours")]
