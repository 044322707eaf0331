"""Phones, codes and tokens from twenty threads at once: one effect each, no server error."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AccessToken, Device, EnrolmentCode, Patient, User
from backend.accounts.services import issue_enrolment_code
from tests.people import People, actor_for, make_patient, make_tie
from tests.phones import Phone
from tests.races.sending import THREADS, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")


def live() -> list[Device]:
    return list(Device.objects.filter(unbound_at__isnull=True))


def test_one_phone_is_registered_once(phone: Phone) -> None:
    path, body = f"/devices/{uuid4()}", {"push_target": "one-target-for-all"}
    answers = twenty(lambda _: twin(phone).put(path, body))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert Device.objects.count() == 1


def test_a_phone_handed_round_belongs_to_one_in_the_end(people: People) -> None:
    users = [people.patient_user, people.therapist.user, people.on_call.user]
    phones = [Phone.of(user) for user in users for _ in range(7)]
    path, body = f"/devices/{uuid4()}", {"push_target": "one-target-for-all"}
    answers = twenty(lambda n: twin(phones[n]).put(path, body))
    assert set(statuses(answers)) <= {200, 201}
    assert len(live()) == 1
    owner = live()[0].user_id
    standing = AccessToken.objects.filter(device__isnull=False, revoked_at__isnull=True)
    assert set(standing.values_list("user_id", flat=True)) == {owner}


def test_targets_that_are_swapped_come_to_rest(phone: Phone) -> None:
    installations = [uuid4(), uuid4()]

    def register(number: int) -> Any:
        body = {"push_target": f"swapped-target-{number // 2 % 2}"}
        return twin(phone).put(f"/devices/{installations[number % 2]}", body)

    assert set(statuses(twenty(register))) <= {200, 201}
    assert len(live()) <= 2
    assert len({device.push_target for device in live()}) == len(live())


def test_one_code_opens_one_account(people: People) -> None:
    patient = make_patient(people.organisation, "nina", user=None)
    make_tie(patient, people.therapist)
    now = datetime.now(UTC)
    actor = actor_for(people.therapist.user)
    code = issue_enrolment_code(actor=actor, patient_id=patient.pk, now=now).code
    known = User.objects.count()

    def enrol(number: int) -> Any:
        return twin().post(
            "/enrol",
            {
                "code": code,
                "email": f"nina-{number}@example.org",
                "password": "three-herons-on-a-jetty",
                "born_on": "1990-05-17",
            },
        )

    answers = twenty(enrol)
    assert statuses(answers)[201] == 1
    assert set(statuses(answers)) <= {201, 404, 429}
    assert User.objects.count() == known + 1
    assert Patient.objects.get(pk=patient.pk).user is not None


def test_only_the_last_code_stays_good(people: People) -> None:
    patient = make_patient(people.organisation, "nina", user=None)
    make_tie(patient, people.therapist)
    therapist = Phone.of(people.therapist.user)
    path = f"/patients/{patient.pk}/enrolment-codes"
    answers = twenty(lambda _: twin(therapist).post(path))
    assert statuses(answers) == {201: THREADS}
    assert EnrolmentCode.objects.filter(withdrawn_at__isnull=True).count() == 1


def test_signing_out_ends_the_token_once(phone: Phone) -> None:
    phone.put(f"/devices/{uuid4()}", {"push_target": "one-target-for-all"})
    answers = twenty(lambda _: twin(phone).post("/sign-out"))
    assert set(statuses(answers)) <= {204, 401}
    assert statuses(answers)[204] >= 1
    assert live() == []
    assert phone.get("/trends").status_code == 401


def test_a_phone_that_registers_while_it_is_signed_out_is_not_left_bound(phone: Phone) -> None:
    path = f"/devices/{uuid4()}"

    def either(number: int) -> Any:
        if number == THREADS // 2:
            return twin(phone).post("/sign-out")
        return twin(phone).put(path, {"push_target": "one-target-for-all"})

    assert set(statuses(twenty(either))) <= {200, 201, 204, 401}
    assert phone.get("/trends").status_code == 401
    assert live() == []


def test_the_limit_of_tries_holds_for_tries_at_once(people: People) -> None:
    body = {"email": people.patient_user.email, "password": "not-the-password"}
    answers = twenty(lambda _: twin().post("/sign-in", body))
    assert statuses(answers) == {401: 10, 429: 10}
