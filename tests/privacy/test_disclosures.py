"""What is shown outside the care team: under a consent that holds now, or in an emergency."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from backend.accounts.access import access_under_consent
from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import AuditEvent, Consent
from backend.accounts.recipients import Recipient
from backend.errors import NotFound
from backend.privacy.disclosure_models import Disclosure
from tests.accounts.consenting import AUNT, SHELTER, sign
from tests.people import People, actor_for, make_tie
from tests.phones import Phone, check_in_body

NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
NURSE = {"name": "Kim Osei", "affiliation": "County General, emergency department"}


@pytest.fixture
def therapist(people: People) -> Phone:
    return Phone.of(people.therapist.user)


def path(people: People, end: str = "disclosures") -> str:
    return f"/patients/{people.patient.pk}/{end}"


def body(consent: Consent, *scopes: str, **items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "consent_id": str(consent.pk),
        "scopes": list(scopes) or ["check_ins"],
        "purpose": "support",
        **items,
    }


def emergency(*scopes: str, **items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "recipient": NURSE,
        "nature": "Found unconscious at the bus station.",
        "scopes": list(scopes) or ["check_ins", "contact_details"],
        **items,
    }


def today_of(people: People) -> date:
    return timezone.now().astimezone(ZoneInfo(people.patient.time_zone)).date()


def record(people: People) -> None:
    phone, day = Phone.of(people.patient_user), today_of(people).isoformat()
    for items in (
        {"mood": 6, "note": "a secret of mine"},
        {"craving": 9, "note": "said to Bob", "note_shared": True},
    ):
        answer = phone.post("/check-ins", check_in_body(local_date=day, **items))
        assert answer.status_code == 201, answer.content


# Under a consent --------------------------------------------------------------------------------


def test_what_the_consent_covers_is_shown_with_the_notice_and_the_consent(
    people: People, phone: Phone, therapist: Phone
) -> None:
    record(people)
    consent = sign(people.patient)
    answer = therapist.post(path(people), body(consent))
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert set(found["shown"]) == {"check_ins"}
    assert sorted(str(row["mood"]) for row in found["shown"]["check_ins"]) == ["6", "None"]
    assert found["notice"] == found["disclosure"]["notice"] == NOTICE
    assert found["consent"]["id"] == str(consent.pk)
    assert found["consent"]["scopes"] == ["check_ins"]
    assert "secret" not in answer.content.decode()
    assert "said to Bob" not in answer.content.decode()


def test_the_row_says_what_to_whom_why_and_by_whom_and_holds_no_content(
    people: People, phone: Phone, therapist: Phone
) -> None:
    record(people)
    consent = sign(people.patient, scopes=(ConsentScope.NOTES, ConsentScope.ALERTS))
    assert therapist.post(path(people), body(consent, "notes", "alerts")).status_code == 201
    row = Disclosure.objects.get()
    assert (row.basis, row.consent_id, row.purpose) == ("consent", consent.pk, "support")
    assert (row.recipient_name, row.recipient_affiliation) == ("Rosa Marin", "my aunt")
    assert (row.scopes, row.counts) == (["alerts", "notes"], {"alert": 1, "note": 1})
    assert (row.disclosed_by, row.discloser_name) == (people.therapist.user, "Bob")
    assert (row.last_on - row.first_on).days == 29
    assert "said to Bob" not in str(vars(row))
    (event,) = AuditEvent.objects.filter(action="disclosure.consent")
    assert event.facts == {"scopes": ["alerts", "notes"], "counts": {"alert": 1, "note": 1}}


def test_a_note_that_was_kept_back_is_never_shown(
    people: People, phone: Phone, therapist: Phone
) -> None:
    record(people)
    everything = tuple(ConsentScope)
    consent = sign(people.patient, scopes=everything)
    answer = therapist.post(path(people), body(consent, *(scope.value for scope in everything)))
    shown = answer.json()["shown"]
    assert set(shown) == {scope.value for scope in everything}
    assert [note["note"] for note in shown["notes"]] == ["said to Bob"]
    assert "secret" not in answer.content.decode()
    for word in ("score", "outlook", "ruleset", "smoothed"):
        assert word not in json.dumps(shown)


def test_only_the_days_asked_for(people: People, phone: Phone, therapist: Phone) -> None:
    today = today_of(people)
    long_ago = today - timedelta(days=20)
    phone.post("/check-ins", check_in_body(mood=6, local_date=today.isoformat()))
    phone.post("/check-ins", check_in_body(mood=3, local_date=long_ago.isoformat()))
    consent = sign(people.patient)
    asked = {"first_on": long_ago.isoformat(), "last_on": long_ago.isoformat()}
    answer = therapist.post(path(people), body(consent, **asked))
    assert [row["mood"] for row in answer.json()["shown"]["check_ins"]] == [3]
    for first, last in (("2025-01-01", "2026-01-02"), ("2026-01-02", "2026-01-01")):
        refused = therapist.post(path(people), body(consent, first_on=first, last_on=last))
        assert refused.json()["errors"][0]["code"] == "too_many_days"
    assert Disclosure.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", ["scope", "some scope", "purpose", "revoked", "expired", "another's", "unknown"]
)
def test_without_a_consent_that_covers_all_of_it_now_nothing_is_shown(
    people: People, phone: Phone, therapist: Phone, wrong: str
) -> None:
    record(people)
    consent = sign(people.patient)
    sent = body(consent)
    if wrong == "scope":
        sent["scopes"] = ["notes"]
    if wrong == "some scope":
        sent["scopes"] = ["check_ins", "contact_details"]
    if wrong == "purpose":
        sent["purpose"] = "treatment"
    if wrong == "revoked":
        phone.post(f"/me/consents/{consent.pk}/revoke")
    if wrong == "expired":
        past = timezone.now() - timedelta(days=9)
        sent["consent_id"] = str(
            sign(people.patient, expires_on=past.date() + timedelta(days=2), now=past).pk
        )
    if wrong == "another's":
        make_tie(people.other_patient, people.therapist)
        sent["consent_id"] = str(sign(people.other_patient).pk)
    if wrong == "unknown":
        sent["consent_id"] = str(uuid4())
    answer = therapist.post(path(people), sent)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Disclosure.objects.exists()
    assert not AuditEvent.objects.filter(action="disclosure.consent").exists()


def test_a_refusal_for_want_of_a_consent_is_audited(people: People, therapist: Phone) -> None:
    consent = sign(people.patient)
    therapist.post(path(people), body(consent, "notes"))
    (event,) = AuditEvent.objects.using("audit").filter(action="consent.access")
    assert event.was_allowed is False
    assert event.facts == {"scope": "notes", "purpose": "support"}


def test_who_is_not_of_the_care_team_discloses_nothing(people: People, phone: Phone) -> None:
    consent = sign(people.patient)
    for user, told in (
        (people.stranger.user, 404),
        (people.elsewhere_therapist.user, 404),
        (people.administrator.user, 403),
        (people.patient_user, 403),
    ):
        caller = Phone.of(user)
        assert caller.post(path(people), body(consent)).status_code == told
        emergency_path = path(people, "emergency-disclosures")
        assert caller.post(emergency_path, emergency()).status_code == told
    assert not Disclosure.objects.exists()


def test_of_a_kind_of_recipient_it_is_said_who_it_was(people: People, therapist: Phone) -> None:
    of_class = Recipient("recipient_class", "everyone who treats me")
    consent = sign(people.patient, recipient=of_class)
    unsaid = therapist.post(path(people), body(consent))
    assert unsaid.json()["errors"][0]["code"] == "recipient_mismatch"
    assert therapist.post(path(people), body(consent, recipient=NURSE)).status_code == 201
    assert Disclosure.objects.get().recipient_name == NURSE["name"]
    named = therapist.post(path(people), body(sign(people.patient), recipient=NURSE))
    assert named.json()["errors"][0]["code"] == "recipient_mismatch"


def test_the_same_again_is_one_disclosure_and_shows_nothing_again(
    people: People, phone: Phone, therapist: Phone
) -> None:
    record(people)
    sent = body(sign(people.patient))
    first, again = (therapist.post(path(people), sent) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["disclosure"] == first.json()["disclosure"]
    assert again.json()["shown"] == {}
    assert Disclosure.objects.count() == 1
    other = therapist.post(path(people), {**sent, "first_on": "2026-01-01"})
    assert (other.status_code, other.json()["code"]) == (409, "id_conflict")
    assert other.json()["stored"] == first.json()["disclosure"]


def test_an_id_of_another_patients_tells_nothing(people: People, therapist: Phone) -> None:
    make_tie(people.other_patient, people.therapist)
    sent = body(sign(people.patient))
    assert therapist.post(path(people), sent).status_code == 201
    elsewhere = {**sent, "consent_id": str(sign(people.other_patient).pk)}
    answer = therapist.post(f"/patients/{people.other_patient.pk}/disclosures", elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_in_use")
    assert "stored" not in answer.json()


# The one place that decides ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "affiliation", "opens"),
    [
        ("Rosa Marin", "my aunt", True),
        ("  ROSA   marin ", "My Aunt", True),
        ("Rosa Marin", "", False),
        ("Rosa Marino", "my aunt", False),
        ("Rosa", "Marin my aunt", False),
    ],
)
def test_a_recipient_is_known_by_name_and_affiliation(
    people: People, name: str, affiliation: str, opens: bool
) -> None:
    consent = sign(people.patient)
    asked = Recipient("person", name, affiliation)
    found = reach(people, asked)
    assert found == (consent if opens else None)


def test_a_support_contact_is_known_by_id_alone(people: People) -> None:
    contact_id = uuid4()
    consent = sign(
        people.patient, recipient=Recipient("support_contact", "Rosa", contact_id=contact_id)
    )
    assert reach(people, Recipient("support_contact", "Renamed", contact_id=contact_id)) == consent
    assert reach(people, Recipient("support_contact", "Rosa", contact_id=uuid4())) is None
    assert reach(people, Recipient("support_contact", "Rosa")) is None
    assert reach(people, Recipient("person", "Rosa")) is None


def test_an_organisation_of_the_same_name_is_not_the_person(people: People) -> None:
    sign(people.patient, recipient=SHELTER)
    assert reach(people, Recipient("person", SHELTER.name)) is None
    assert reach(people, SHELTER) is not None


def reach(people: People, recipient: Recipient = AUNT) -> Consent | None:
    try:
        return access_under_consent(
            actor_for(people.therapist.user),
            recipient,
            people.patient.pk,
            scope=ConsentScope.CHECK_INS,
            purpose="support",
            at=timezone.now(),
        )
    except NotFound:
        return None


def test_care_inside_the_programme_hangs_on_no_consent(
    people: People, phone: Phone, therapist: Phone
) -> None:
    """42 CFR 2.12(c)(3)."""
    record(people)
    before = therapist.get(path(people, "check-ins")).json()
    consent = sign(people.patient)
    phone.post(f"/me/consents/{consent.pk}/revoke")
    assert len(before["results"]) == 2
    assert therapist.get(path(people, "check-ins")).json() == before


# In a medical emergency -------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["therapist", "on_call", "supervisor"])
def test_in_an_emergency_medical_personnel_are_shown_what_they_need(
    people: People, phone: Phone, who: str
) -> None:
    """42 CFR 2.51: recipient and affiliation, discloser, time, nature."""
    record(people)
    clinician = getattr(people, who)
    caller = Phone.of(clinician.user)
    answer = caller.post(path(people, "emergency-disclosures"), emergency())
    assert answer.status_code == 201, answer.content
    found = answer.json()
    assert found["shown"]["contact_details"][0]["given_name"] == "Alice"
    assert len(found["shown"]["check_ins"]) == 2
    assert (found["notice"], found["consent"]) == (NOTICE, None)
    row = Disclosure.objects.get()
    assert (row.basis, row.consent, row.recipient_name) == ("medical_emergency", None, "Kim Osei")
    assert row.recipient_affiliation == NURSE["affiliation"]
    assert row.nature == "Found unconscious at the bus station."
    assert (row.discloser_name, row.disclosed_by) == (clinician.display_name, clinician.user)
    assert abs(row.disclosed_at - timezone.now()) < timedelta(minutes=1)
    (event,) = AuditEvent.objects.filter(action="disclosure.medical_emergency")
    assert "unconscious" not in str(event.facts)


@pytest.mark.parametrize("missing", ["recipient", "nature", "scopes", "affiliation"])
def test_nothing_of_what_the_regulation_wants_may_be_left_out(
    people: People, therapist: Phone, missing: str
) -> None:
    sent = emergency()
    if missing == "affiliation":
        sent["recipient"] = {**NURSE, "affiliation": " "}
    else:
        del sent[missing]
    assert therapist.post(path(people, "emergency-disclosures"), sent).status_code == 400
    assert not Disclosure.objects.exists()


# Who reads them ---------------------------------------------------------------------------------


def test_the_patient_and_the_care_team_read_all_of_them(
    people: People, phone: Phone, therapist: Phone
) -> None:
    therapist.post(path(people), body(sign(people.patient)))
    therapist.post(path(people, "emergency-disclosures"), emergency())
    own = phone.get("/me/disclosures").json()["results"]
    assert [one["basis"] for one in own] == ["medical_emergency", "consent"]
    assert own[0]["nature"] == "Found unconscious at the bus station."
    assert therapist.get(path(people)).json()["results"] == own
    assert phone.get("/me/disclosures?limit=1").json()["results"] == own[:1]
    lines = [line["what"] for line in phone.get("/me/audit").json()["results"]]
    assert "Showed a part of your record to medical personnel in an emergency." in lines


def test_nobody_else_reads_them(people: People, therapist: Phone) -> None:
    therapist.post(path(people, "emergency-disclosures"), emergency())
    assert people.other_patient.user is not None
    assert Phone.of(people.other_patient.user).get("/me/disclosures").json()["results"] == []
    for user, told in (
        (people.stranger.user, 404),
        (people.elsewhere_therapist.user, 404),
        (people.administrator.user, 403),
    ):
        assert Phone.of(user).get(path(people)).status_code == told
