"""What is taken back opens nothing from the next request on, in every channel, queued or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backend.accounts.access import access_under_consent
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import Consent, EmergencyAccess
from backend.errors import NotFound
from backend.notifications.models import DeliveryAttempt, Notification
from backend.notifications.services import consent_subject
from backend.privacy.disclosure_models import Disclosure
from tests.accounts.consenting import AUNT, sign
from tests.notifications.outbox import RecordingSender, deliver, draft, queue
from tests.people import People, actor_for, make_device
from tests.phones import Phone

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def consent(people: People) -> Consent:
    return sign(people.patient)


def revoke(people: People, consent: Consent) -> None:
    answer = Phone.of(people.patient_user).post(f"/me/consents/{consent.pk}/revoke")
    assert answer.status_code == 200


def told_under(people: People, consent: Consent) -> Notification:
    """A message to somebody who sees this patient under the consent and in no other way."""
    now = timezone.now()
    message = draft(
        people.patient,
        people.elsewhere_therapist.user,
        kind="support",
        subject=consent_subject(consent.pk),
        text_id="message.support_message",
        now=now,
    )
    (row,) = queue(message, now=now)
    return row


def disclose(people: People, consent: Consent) -> Any:
    sent = {
        "id": str(uuid4()),
        "consent_id": str(consent.pk),
        "scopes": ["check_ins"],
        "purpose": "support",
    }
    path = f"/patients/{people.patient.pk}/disclosures"
    return Phone.of(people.therapist.user).post(path, sent)


def may_see(people: People) -> bool:
    try:
        access_under_consent(
            actor_for(people.therapist.user),
            AUNT,
            people.patient.pk,
            scope=ConsentScope.CHECK_INS,
            purpose="support",
            at=timezone.now(),
        )
    except NotFound:
        return False
    return True


def test_the_next_request_is_refused(people: People, consent: Consent) -> None:
    assert may_see(people)
    assert disclose(people, consent).status_code == 201
    revoke(people, consent)
    assert not may_see(people)
    assert disclose(people, consent).status_code == 404
    assert Disclosure.objects.count() == 1


def test_a_message_that_hangs_on_it_is_sent_while_it_holds(
    people: People, consent: Consent
) -> None:
    make_device(people.elsewhere_therapist.user, "theirs")
    told_under(people, consent)
    sender = RecordingSender()
    deliver(sender, at=timezone.now())
    assert sender.targets == ["theirs"]


def test_a_queued_message_is_not_sent_once_it_is_taken_back(
    people: People, consent: Consent
) -> None:
    make_device(people.elsewhere_therapist.user, "theirs")
    row = told_under(people, consent)
    revoke(people, consent)
    sender = RecordingSender()
    deliver(sender, at=timezone.now())
    assert sender.sent == []
    row.refresh_from_db()
    assert row.outcome == "cancelled"
    assert not DeliveryAttempt.objects.exists()


def test_nor_once_it_has_run_out(people: People, consent: Consent) -> None:
    make_device(people.elsewhere_therapist.user, "theirs")
    past = timezone.now() - timedelta(days=9)
    over = sign(people.patient, expires_on=past.date() + timedelta(days=1), now=past)
    row = told_under(people, over)
    sender = RecordingSender()
    deliver(sender, at=timezone.now())
    assert sender.sent == []
    row.refresh_from_db()
    assert row.outcome == "cancelled"


def test_nor_is_a_message_repeated_or_read(people: People, consent: Consent) -> None:
    make_device(people.elsewhere_therapist.user, "theirs")
    row = told_under(people, consent)
    reader = Phone.of(people.elsewhere_therapist.user)
    assert reader.get(f"/me/notifications/{row.pk}").status_code == 200
    revoke(people, consent)
    assert reader.get(f"/me/notifications/{row.pk}").status_code == 404


def test_a_consent_for_another_patient_sends_nothing(people: People, consent: Consent) -> None:
    make_device(people.elsewhere_therapist.user, "theirs")
    row = told_under(people, consent)
    Notification.objects.filter(pk=row.pk).update(patient=people.other_patient)
    sender = RecordingSender()
    deliver(sender, at=timezone.now())
    assert sender.sent == []


@pytest.mark.parametrize("kind", ["nudge", "prompt"])
def test_a_message_of_being_watched_is_not_sent_after_leaving(people: People, kind: str) -> None:
    """Also one that was queued by somebody who had not looked."""
    make_device(people.patient_user, "phone")
    now = timezone.now()
    Phone.of(people.patient_user).post("/me/leave-monitoring")
    (row,) = queue(draft(people.patient, people.patient_user, kind=kind, now=now), now=now)
    sender = RecordingSender()
    deliver(sender, at=now)
    assert [target for target in sender.targets if target == "phone"] == []
    row.refresh_from_db()
    assert row.outcome == "cancelled"


def opened(people: People) -> EmergencyAccess:
    now = timezone.now()
    return EmergencyAccess.objects.create(
        patient=people.patient,
        clinician=people.stranger,
        reason="Brought in by ambulance.",
        opened_at=now,
        ends_at=now + EmergencyAccess.LIFE,
    )


def told_of(people: People, row: EmergencyAccess, user: Any) -> Notification:
    now = timezone.now()
    (found,) = queue(
        draft(
            people.patient,
            user,
            kind="support",
            subject=f"emergency_access:{row.pk}",
            text_id="message.emergency_access_officer",
            now=now,
        ),
        now=now,
    )
    return found


@pytest.mark.parametrize(
    ("who", "reached"),
    [
        (lambda people: people.administrator.user, True),
        (lambda people: people.patient_user, True),
        (lambda people: people.therapist.user, False),
        (lambda people: people.elsewhere_therapist.user, False),
        (lambda people: people.other_patient.user, False),
    ],
)
def test_of_emergency_access_the_office_and_the_patient_are_told(
    people: People, who: Callable[[People], Any], reached: bool
) -> None:
    """The patient also after they have left the programme."""
    people.patient.discharged_at = timezone.now()
    people.patient.save()
    user = who(people)
    make_device(user, "theirs")
    told_of(people, opened(people), user)
    sender = RecordingSender()
    deliver(sender, at=timezone.now())
    assert sender.targets == (["theirs"] if reached else [])
    for message in sender.sent:
        assert "record" not in f"{message.title} {message.body}".lower()
