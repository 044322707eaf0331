"""A thousand random consents: what is allowed and shown equals a set worked out by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from backend.accounts.access import live_consents
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import Consent, ConsentRevocation, Patient, Purpose
from backend.accounts.recipients import Recipient
from tests.accounts.consenting import AUNT, SHELTER, TEXT
from tests.people import People, make_tie
from tests.phones import Phone

GRANTS = 1_000
RECIPIENTS = (
    AUNT,
    SHELTER,
    Recipient("person", SHELTER.name),
    Recipient("support_contact", "Rosa", contact_id=uuid4()),
    Recipient("support_contact", "Rosa", contact_id=uuid4()),
    Recipient("recipient_class", "everyone who treats me"),
)
PURPOSES = ("support", "housing", "treatment")
Grant = dict[str, Any]


def made(patient: Patient, chance: random.Random, now: datetime) -> Grant:
    """What one random consent says, and whether it was taken back."""
    ends_on = chance.random() < 0.8
    return {
        "id": uuid4(),
        "patient": patient,
        "recipient": chance.choice(RECIPIENTS),
        "scopes": sorted(chance.sample(list(ConsentScope), chance.randint(1, 3))),
        "purpose": chance.choice(PURPOSES),
        "expires_on": (now + timedelta(days=chance.randint(-3, 3))).date() if ends_on else None,
        "expires_event": "" if ends_on else "discharge",
        "signed_at": now + timedelta(hours=chance.choice((-90, -20, -1, 0, 2))),
        "is_revoked": chance.random() < 0.4,
    }


def store(grants: list[Grant]) -> None:
    Consent.objects.bulk_create(
        Consent(
            id=one["id"],
            patient=one["patient"],
            discloser=one["patient"].organisation,
            discloser_name="Riverside",
            recipient_kind=one["recipient"].kind,
            recipient_name=one["recipient"].name,
            recipient_affiliation=one["recipient"].affiliation,
            contact_id=one["recipient"].contact_id,
            recipient_key=one["recipient"].key,
            scopes=one["scopes"],
            purpose=one["purpose"],
            expires_on=one["expires_on"],
            expires_event=one["expires_event"],
            text_version=TEXT.version,
            text_language=TEXT.language,
            text_sha256=TEXT.sha256,
            signature_name="Alice Doe",
            signature_method="typed_in_app",
            signed_at=one["signed_at"],
        )
        for one in grants
    )
    ConsentRevocation.objects.bulk_create(
        ConsentRevocation(consent_id=one["id"], revoked_at=one["signed_at"])
        for one in grants
        if one["is_revoked"]
    )


def holds(one: Grant, now: datetime) -> bool:
    """Worked out from the words of the promise, in Python, from the grant alone."""
    if one["is_revoked"] or one["signed_at"] > now:
        return False
    patient: Patient = one["patient"]
    if one["expires_on"] is None:
        return patient.discharged_at is None
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    return bool(today <= one["expires_on"])


@pytest.fixture
def patients(people: People) -> list[Patient]:
    """Three in zones where it is another day, the last of them discharged."""
    found = [people.patient, people.other_patient, people.elsewhere_patient]
    for patient, zone in zip(
        found, ("America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"), strict=True
    ):
        patient.time_zone = zone
    found[2].discharged_at = datetime(2026, 1, 1, tzinfo=UTC)
    for patient in found:
        patient.save()
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_who_may_see_what_is_the_set_worked_out_by_hand(patients: list[Patient], seed: int) -> None:
    now, chance = timezone.now(), random.Random(seed)
    grants = [made(chance.choice(patients), chance, now) for _ in range(GRANTS)]
    store(grants)
    live = [one for one in grants if holds(one, now)]
    assert GRANTS * 0.1 < len(live) < GRANTS * 0.9
    assert set(live_consents(at=now).values_list("pk", flat=True)) == {one["id"] for one in live}
    for patient, recipient, scope, purpose in product(patients, RECIPIENTS, ConsentScope, PURPOSES):
        found = live_consents(
            at=now, patient_id=patient.pk, recipient=recipient, scope=scope, purpose=purpose
        )
        expected = {
            one["id"]
            for one in live
            if one["patient"] == patient
            and one["recipient"] == recipient
            and scope in one["scopes"]
            and one["purpose"] == purpose
        }
        assert set(found.values_list("pk", flat=True)) == expected
    assert set(Purpose.values) > set(PURPOSES)


def test_the_api_shows_exactly_what_holds(people: People, patients: list[Patient]) -> None:
    now, chance = timezone.now(), random.Random(3)
    make_tie(people.other_patient, people.therapist)
    patients = patients[:2]
    grants = [made(chance.choice(patients), chance, now) for _ in range(GRANTS)]
    store(grants)
    therapist = Phone.of(people.therapist.user)
    for patient in patients:
        assert patient.user is not None
        theirs = {str(one["id"]): holds(one, now) for one in grants if one["patient"] == patient}
        for phone, path in (
            (Phone.of(patient.user), "/me/consents"),
            (therapist, f"/patients/{patient.pk}/consents"),
        ):
            assert listed(phone, path) == theirs


def listed(phone: Phone, path: str) -> dict[str, bool]:
    found: dict[str, bool] = {}
    query = "?limit=200"
    while query:
        answer = phone.get(f"{path}{query}").json()
        found |= {one["id"]: one["is_live"] for one in answer["results"]}
        cursor = answer["next_cursor"]
        query = f"?limit=200&cursor={cursor}" if cursor else ""
    return found


def test_a_disclosure_is_made_exactly_where_one_holds(
    people: People, patients: list[Patient]
) -> None:
    now, chance = timezone.now(), random.Random(4)
    make_tie(people.other_patient, people.therapist)
    grants = [made(chance.choice(patients[:2]), chance, now) for _ in range(GRANTS)]
    store(grants)
    therapist, made_or_refused = Phone.of(people.therapist.user), set()
    for one in chance.sample(grants, 150):
        asked_of = chance.choice((one["patient"], one["patient"], chance.choice(patients[:2])))
        scopes = sorted(
            chance.choice((one["scopes"], chance.sample(list(ConsentScope), chance.randint(1, 2))))
        )
        purpose = chance.choice((one["purpose"], one["purpose"], chance.choice(PURPOSES)))
        sent: dict[str, Any] = {
            "id": str(uuid4()),
            "consent_id": str(one["id"]),
            "scopes": scopes,
            "purpose": purpose,
        }
        if one["recipient"].kind == "recipient_class":
            sent["recipient"] = {"name": "Kim Osei", "affiliation": "County General"}
        answer = therapist.post(f"/patients/{asked_of.pk}/disclosures", sent)
        is_allowed = (
            holds(one, now)
            and asked_of == one["patient"]
            and set(scopes) <= set(one["scopes"])
            and purpose == one["purpose"]
        )
        assert answer.status_code == (201 if is_allowed else 404), answer.content
        if is_allowed:
            assert set(answer.json()["shown"]) == set(scopes)
        made_or_refused.add(answer.status_code)
    assert made_or_refused == {201, 404}
