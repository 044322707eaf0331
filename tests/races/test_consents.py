"""Signing, taking back and break-glass from twenty threads at once: one effect each."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import (
    AuditEvent,
    Consent,
    ConsentRevocation,
    EmergencyAccess,
    EmergencyAccessReview,
)
from backend.aftercare.models import Alert
from backend.notifications.models import Notification
from backend.privacy.disclosure_models import Disclosure
from tests.accounts.consenting import consent_body, sign
from tests.people import People, enrol_app, next_code
from tests.phones import Phone
from tests.races.sending import THREADS, statuses, twenty, twin

pytestmark = pytest.mark.usefixtures("committed_db")


def test_one_consent_is_signed_once(phone: Phone) -> None:
    body = consent_body()
    answers = twenty(lambda _: twin(phone).post("/me/consents", body))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert Consent.objects.count() == 1
    assert AuditEvent.objects.filter(action="consent.sign").count() == 1


def test_one_id_with_different_words_keeps_the_first(phone: Phone) -> None:
    body = consent_body()
    answers = twenty(
        lambda n: twin(phone).post("/me/consents", {**body, "signature_name": f"Alice {n}"})
    )
    assert statuses(answers) == {201: 1, 409: THREADS - 1}
    (kept,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert Consent.objects.get().signature_name == kept["signature_name"]


def test_one_id_of_two_people_is_one_persons(phone: Phone, people: People) -> None:
    assert people.other_patient.user is not None
    phones, body = (phone, Phone.of(people.other_patient.user)), consent_body()
    answers = twenty(lambda n: twin(phones[n % 2]).post("/me/consents", body))
    half = THREADS // 2
    assert statuses(answers) == {201: 1, 200: half - 1, 409: half}
    assert Consent.objects.count() == 1


def test_one_consent_is_taken_back_once(phone: Phone, people: People) -> None:
    consent = sign(people.patient)
    answers = twenty(lambda _: twin(phone).post(f"/me/consents/{consent.pk}/revoke"))
    assert statuses(answers) == {200: THREADS}
    assert len({answer.content for answer in answers}) == 1
    assert ConsentRevocation.objects.count() == 1
    assert AuditEvent.objects.filter(action="consent.revoke").count() == 1


def test_nothing_is_shown_after_it_was_taken_back(phone: Phone, people: People) -> None:
    """Disclosures and a revocation at once: no row is later than the revocation."""
    consent = sign(people.patient)
    therapist = Phone.of(people.therapist.user)

    def either(number: int) -> Any:
        if number == THREADS // 2:
            return twin(phone).post(f"/me/consents/{consent.pk}/revoke")
        sent = {
            "id": str(uuid4()),
            "consent_id": str(consent.pk),
            "scopes": ["check_ins"],
            "purpose": "support",
        }
        return twin(therapist).post(f"/patients/{people.patient.pk}/disclosures", sent)

    told = statuses(twenty(either))
    assert told[200] == 1
    assert told[201] + told[404] == THREADS - 1
    assert Disclosure.objects.count() == told[201]
    acts = AuditEvent.objects.filter(action__in=("disclosure.consent", "consent.revoke"))
    assert acts.order_by("-pk").values_list("action", flat=True)[0] == "consent.revoke"


def test_one_disclosure_is_made_once(people: People) -> None:
    therapist, consent = Phone.of(people.therapist.user), sign(people.patient)
    sent = {
        "id": str(uuid4()),
        "consent_id": str(consent.pk),
        "scopes": ["check_ins"],
        "purpose": "support",
    }
    path = f"/patients/{people.patient.pk}/disclosures"
    answers = twenty(lambda _: twin(therapist).post(path, sent))
    assert statuses(answers) == {201: 1, 200: THREADS - 1}
    assert Disclosure.objects.count() == 1


@pytest.mark.parametrize("same_id", [True, False])
def test_one_code_opens_one_record_once(people: People, same_id: bool) -> None:
    enrol_app(people.stranger.user)
    code, known = next_code(people.stranger.user), str(uuid4())
    stranger = Phone.of(people.stranger.user)
    patients = (people.patient, people.other_patient)

    def ask(number: int) -> Any:
        patient = people.patient if same_id else patients[number % 2]
        sent = {
            "id": known if same_id else str(uuid4()),
            "reason": "Brought in by ambulance.",
            "code": code,
        }
        return twin(stranger).post(f"/patients/{patient.pk}/emergency-access", sent)

    told = statuses(twenty(ask))
    assert told[201] == 1
    assert set(told) <= {200, 201, 400, 409, 429}
    assert EmergencyAccess.objects.count() == 1
    assert AuditEvent.objects.filter(action="emergency_access.open").count() == 1
    assert Notification.objects.filter(subject__startswith="emergency_access:").count() == 2


def test_one_review_is_written_once(people: People) -> None:
    sent = {
        "id": str(uuid4()),
        "reason": "Brought in by ambulance.",
        "code": next_code(people.stranger.user),
    }
    path = f"/patients/{people.patient.pk}/emergency-access"
    assert Phone.of(people.stranger.user).post(path, sent).status_code == 201
    office, findings = Phone.of(people.administrator.user), ("justified", "not_justified")
    answers = twenty(
        lambda n: twin(office).post(
            f"/emergency-accesses/{sent['id']}/review", {"finding": findings[n % 2]}
        )
    )
    half = THREADS // 2
    assert statuses(answers) == {200: half, 409: half}
    assert EmergencyAccessReview.objects.count() == 1


def test_leaving_monitoring_is_done_once(phone: Phone) -> None:
    answers = twenty(lambda _: twin(phone).post("/me/leave-monitoring"))
    assert statuses(answers) == {200: THREADS}
    assert Alert.objects.count() == 1
    assert AuditEvent.objects.filter(action="monitoring.leave").count() == 1
