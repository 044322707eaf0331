"""Passwords, lists and receipts from twenty threads at once: one effect each, no server error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import (
    AccessToken,
    AuditEvent,
    CareTeamMember,
    Clinician,
    Device,
    PasswordReset,
    Patient,
    ResetPurpose,
    User,
)
from backend.accounts.tokens import hash_code
from backend.notifications.models import Notification
from tests.people import PASSWORD, People
from tests.phones import Phone, check_in_body
from tests.races.sending import THREADS, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")
CODE = "7K2M-Q0XA-93TD"


@pytest.fixture
def administrator(people: People) -> Phone:
    return Phone.of(people.administrator.user)


def test_one_receipt_is_recorded_once(phone: Phone) -> None:
    phone.post("/check-ins", check_in_body(craving=9))
    message = Notification.objects.get(kind="support")
    at = datetime.now(UTC).isoformat()
    body = {"receipts": [{"id": str(message.pk), "event": "opened", "at": at}]}
    answers = twenty(lambda _: twin(phone).post("/me/notifications/receipts", body))
    assert statuses(answers) == {200: THREADS}
    assert sum(answer.json()["recorded"] for answer in answers) == 1
    assert AuditEvent.objects.filter(action="notification.receipt").count() == 1


def test_one_person_is_put_on_the_list_once(administrator: Phone) -> None:
    known = Patient.objects.count()
    body = {"id": str(uuid4()), "given_name": "Nina"}
    answers = twenty(lambda _: twin(administrator).post("/patients", body))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert Patient.objects.count() == known + 1


def test_one_clinician_is_invited_once(administrator: Phone) -> None:
    body = {
        "id": str(uuid4()),
        "email": "gwen@example.org",
        "display_name": "Gwen",
        "roles": ["therapist"],
    }
    answers = twenty(lambda _: twin(administrator).post("/clinicians", body))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert (
        Clinician.objects.filter(display_name="Gwen").count() == PasswordReset.objects.count() == 1
    )


def test_one_address_is_one_clinicians(administrator: Phone) -> None:
    body = {"email": "gwen@example.org", "display_name": "Gwen", "roles": ["therapist"]}
    answers = twenty(
        lambda _: twin(administrator).post("/clinicians", {"id": str(uuid4()), **body})
    )
    assert statuses(answers) == {201: 1, 409: THREADS - 1}
    assert User.objects.filter(email="gwen@example.org").count() == 1


def test_one_tie_is_made_once(administrator: Phone, people: People) -> None:
    path = f"/patients/{people.other_patient.pk}/care-team/{people.stranger.pk}"
    answers = twenty(lambda _: twin(administrator).put(path, {"role": "therapist"}))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert CareTeamMember.objects.filter(patient=people.other_patient).count() == 1


def test_ties_made_and_ended_at_once_leave_at_most_one(
    administrator: Phone, people: People
) -> None:
    path = f"/patients/{people.other_patient.pk}/care-team/{people.stranger.pk}"

    def either(number: int) -> Any:
        if number % 2:
            return twin(administrator).request("DELETE", path)
        role = ("therapist", "case_manager")[number // 2 % 2]
        return twin(administrator).put(path, {"role": role})

    assert set(statuses(twenty(either))) <= {200, 201, 204}
    ties = CareTeamMember.objects.filter(patient=people.other_patient, ended_on__isnull=True)
    assert ties.count() <= 1


def test_a_new_password_asked_for_twenty_times_is_one_wish(people: People) -> None:
    body = {"email": people.patient_user.email}
    answers = twenty(lambda _: twin().post("/password-reset", body))
    assert statuses(answers) == {202: 5, 429: THREADS - 5}
    assert PasswordReset.objects.count() == 1


def test_one_code_sets_one_password(people: People) -> None:
    now, email = datetime.now(UTC), people.patient_user.email
    PasswordReset.objects.create(
        email=email,
        purpose=ResetPurpose.FORGOTTEN,
        requested_at=now,
        due_at=now,
        expires_at=now + timedelta(minutes=30),
        code_hash=hash_code(CODE),
        sent_at=now,
    )

    def confirm(number: int) -> Any:
        body = {"email": email, "code": CODE, "password": f"three-herons-on-jetty-{number}"}
        return twin().post("/password-reset/confirm", body)

    assert statuses(twenty(confirm)) == {204: 1, 400: 9, 429: 10}


def test_a_password_is_changed_once(phone: Phone) -> None:
    def change(number: int) -> Any:
        body = {"current_password": PASSWORD, "password": f"three-herons-on-jetty-{number}"}
        return twin(phone).post("/password", body)

    done = statuses(twenty(change))
    assert done[204] == 1
    assert set(done) <= {204, 400, 409, 429}
    assert AuditEvent.objects.filter(action="password.change", was_allowed=True).count() == 1


def test_a_phone_registered_and_revoked_at_once_comes_to_rest(people: People) -> None:
    phones = [Phone.of(people.patient_user) for _ in range(THREADS)]
    path = f"/devices/{uuid4()}"

    def either(number: int) -> Any:
        if number % 2:
            return twin(phones[number]).request("DELETE", path)
        return twin(phones[number]).put(path, {"push_target": "one-target-for-all"})

    assert set(statuses(twenty(either))) <= {200, 201, 204, 401, 404}
    assert Device.objects.filter(unbound_at__isnull=True).count() <= 1


def test_signing_out_everywhere_and_registering_at_once_leaves_nothing_half(
    people: People,
) -> None:
    phones = [Phone.of(people.patient_user) for _ in range(THREADS)]

    def either(number: int) -> Any:
        if number == THREADS // 2:
            return twin(phones[number]).post("/sign-out-everywhere")
        body = {"push_target": f"target-of-phone-{number}"}
        return twin(phones[number]).put(f"/devices/{uuid4()}", body)

    assert set(statuses(twenty(either))) <= {201, 204, 401}
    assert not AccessToken.objects.filter(revoked_at__isnull=True).exists()
    assert not Device.objects.filter(unbound_at__isnull=True).exists()
