"""Acts on alerts from twenty threads at once: one effect for each act, no server error."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from backend.aftercare.models import Alert, AlertAct
from tests.people import People, make_tie
from tests.phones import Phone, check_in_body
from tests.races.sending import THREADS, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")
ACTS = ("acknowledge", "act", "resolve")
BODIES: dict[str, dict[str, str]] = {
    "acknowledge": {},
    "act": {"note": "Called."},
    "resolve": {"outcome": "reached"},
}


@pytest.fixture
def therapist(people: People) -> Phone:
    return Phone.of(people.therapist.user)


@pytest.fixture
def alert(phone: Phone) -> Alert:
    phone.post("/check-ins", check_in_body(craving=9))
    return Alert.objects.get()


def path(alert: Alert, act: str) -> str:
    return f"/patients/{alert.patient_id}/alerts/{alert.pk}/{act}"


@pytest.mark.parametrize("act", ACTS)
def test_one_act_is_done_once(act: str, therapist: Phone, alert: Alert) -> None:
    body = {"id": str(uuid4()), **BODIES[act]}
    answers = twenty(lambda _: twin(therapist).post(path(alert, act), body))
    assert statuses(answers) == {200: THREADS}
    assert AlertAct.objects.count() == 1


@pytest.mark.parametrize(("act", "told"), [("acknowledge", 200), ("act", 200), ("resolve", 409)])
def test_different_acts_are_each_done(act: str, told: int, therapist: Phone, alert: Alert) -> None:
    answers = twenty(
        lambda _: twin(therapist).post(path(alert, act), {"id": str(uuid4()), **BODIES[act]})
    )
    done = statuses(answers)[200]
    assert statuses(answers) == ({200: THREADS} if told == 200 else {200: 1, told: THREADS - 1})
    assert AlertAct.objects.count() == done


def test_new_evidence_and_an_acknowledgment_at_once_lose_neither(
    phone: Phone, therapist: Phone, alert: Alert
) -> None:
    def either(number: int) -> Any:
        if number % 2:
            return twin(therapist).post(path(alert, "acknowledge"), {"id": str(uuid4())})
        return twin(phone).post("/check-ins", check_in_body(craving=9))

    half = THREADS // 2
    assert statuses(twenty(either)) == {200: half, 201: half}
    alert.refresh_from_db()
    assert alert.evidence.count() == alert.round == half + 1
    assert AlertAct.objects.filter(kind="acknowledged").count() == half


def test_one_act_id_on_two_peoples_alerts_is_done_once(
    therapist: Phone, alert: Alert, people: People
) -> None:
    assert people.other_patient.user is not None
    make_tie(people.other_patient, people.therapist)
    Phone.of(people.other_patient.user).post("/check-ins", check_in_body(craving=9))
    alerts = (alert, Alert.objects.exclude(pk=alert.pk).get())
    body = {"id": str(uuid4())}
    answers = twenty(lambda n: twin(therapist).post(path(alerts[n % 2], "acknowledge"), body))
    half = THREADS // 2
    assert statuses(answers) == {200: half, 409: half}
    assert AlertAct.objects.count() == 1
