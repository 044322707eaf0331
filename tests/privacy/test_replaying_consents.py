"""A restored database forgets no revocation and no leaving of monitoring."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent, ConsentRevocation
from backend.aftercare.models import Alert
from backend.privacy import journal
from backend.privacy.journal import Entry
from tests.accounts.consenting import sign
from tests.people import People
from tests.phones import Phone

AT = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
REPLAY = Actor.system("replay_journal")


def again(people: People, kind: str, object_id: UUID) -> bool:
    entry = Entry(
        number=1,
        at=AT,
        kind=kind,
        actor_id=people.patient_user.pk,
        patient_id=people.patient.pk,
        object_kind=kind.partition(".")[0],
        object_id=str(object_id),
    )
    return journal.replayers[kind].replayer(entry, REPLAY)


def test_a_revocation_is_done_again_once(people: People, phone: Phone) -> None:
    consent = sign(people.patient)
    assert again(people, "consent.revoke", consent.pk) is True
    assert again(people, "consent.revoke", consent.pk) is False
    assert ConsentRevocation.objects.get().revoked_at == AT
    (shown,) = phone.get("/me/consents").json()["results"]
    assert shown["is_live"] is False
    assert AuditEvent.objects.get(action="consent.revoke").actor_role == "system"


def test_one_of_a_consent_that_is_not_there_is_normal(people: People) -> None:
    assert again(people, "consent.revoke", uuid4()) is False
    assert not ConsentRevocation.objects.exists()


def test_leaving_and_coming_back_are_done_again_in_their_order(people: People) -> None:
    for kind, is_monitored in (("monitoring.leave", False), ("monitoring.resume", True)):
        assert again(people, kind, people.patient.pk) is True
        assert again(people, kind, people.patient.pk) is False
        people.patient.refresh_from_db()
        assert people.patient.is_monitored is is_monitored
    assert not Alert.objects.exists()
