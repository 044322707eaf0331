"""A patient signs, reads and takes back: each element kept, nothing ever changed."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import psycopg
import pytest
import time_machine
from django.utils import timezone

from backend.accounts.api.consents import SituationName
from backend.accounts.consent_scopes import TELLS_OF, ConsentScope, registered
from backend.accounts.consent_texts import (
    LANGUAGES,
    all_texts,
    current_texts,
    say,
    say_situation,
    situations,
)
from backend.accounts.models import (
    AuditEvent,
    Consent,
    ConsentRevocation,
    ExpiryEvent,
    Purpose,
    RecipientKind,
)
from backend.aftercare.models import Situation
from tests.accounts.consenting import consent_body
from tests.conftest import owner_connection
from tests.people import People
from tests.phones import Phone


def other_phone(people: People) -> Phone:
    assert people.other_patient.user is not None
    return Phone.of(people.other_patient.user)


def test_every_element_of_the_regulation_is_kept(phone: Phone, people: People) -> None:
    """42 CFR 2.31(a)(1) to (9)."""
    body = consent_body(scopes=["trends", "check_ins"])
    answer = phone.post("/me/consents", body)
    assert answer.status_code == 201, answer.content
    found = answer.json()
    sent = {name: value for name, value in body.items() if name not in ("scopes", "recipient")}
    assert sent.items() <= found.items()
    assert found["recipient"] == {**body["recipient"], "contact_id": None}
    assert found["scopes"] == ["check_ins", "trends"]
    assert (found["discloser"], found["is_live"], found["revoked_at"]) == ("Riverside", True, None)
    row = Consent.objects.get()
    assert (row.patient, row.discloser) == (people.patient, people.organisation)
    assert abs(row.signed_at - timezone.now()) < timedelta(minutes=1)


def test_the_words_that_were_signed_can_be_found_again(phone: Phone) -> None:
    texts = phone.get("/consent-texts").json()
    assert {text["language"] for text in texts["texts"]} == set(LANGUAGES)
    for text in texts["texts"]:
        digest = hashlib.sha256(text["text"].encode()).hexdigest()
        assert text["sha256"] == digest
        body = consent_body(
            text_version=text["version"], text_language=text["language"], text_sha256=digest
        )
        assert phone.post("/me/consents", body).status_code == 201
    kept = set(Consent.objects.values_list("text_sha256", flat=True))
    assert kept == {text.sha256 for text in current_texts()}


def test_the_words_signed_for_a_support_contact_list_the_situations(phone: Phone) -> None:
    chosen = ["silence", "asked"]
    answer = phone.get(f"/consent-texts?situations={','.join(chosen)}").json()
    english, spanish = answer["texts"]
    assert english["text"].endswith(
        "in these situations, and in no other:\n- when I ask them to get in touch\n"
        "- when nothing has come from me for some days"
    )
    assert spanish["text"].count("\n- ") == 2
    contact = {"kind": "support_contact", "name": "Maria", "contact_id": str(uuid4())}
    for text in answer["texts"]:
        assert text["sha256"] == hashlib.sha256(text["text"].encode()).hexdigest()
        said = {"text_language": text["language"], "text_sha256": text["sha256"]}
        body = consent_body(recipient=contact, situations=chosen, **said)
        assert phone.post("/me/consents", body).status_code == 201


@pytest.mark.parametrize("named", [[], ["asked"], ["asked", "silence", "not_safe"]])
def test_words_that_list_other_situations_sign_nothing(phone: Phone, named: list[str]) -> None:
    """Also those that list none, or more: what was read and what would hold must be the same."""
    contact = {"kind": "support_contact", "name": "Maria", "contact_id": str(uuid4())}
    text = current_texts()[0].naming(named)
    body = consent_body(recipient=contact, situations=["asked", "silence"], text_sha256=text.sha256)
    answer = phone.post("/me/consents", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_text_changed")
    assert not Consent.objects.exists()


def test_a_consent_that_lists_situations_is_for_a_support_contact_alone(phone: Phone) -> None:
    text = current_texts()[0].naming(["asked"])
    answer = phone.post("/me/consents", consent_body(text_sha256=text.sha256))
    assert answer.status_code == 409
    assert not Consent.objects.exists()


def test_a_situation_that_there_is_not_is_refused(phone: Phone) -> None:
    answer = phone.get("/consent-texts?situations=asked,full_moon")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_situations")


def test_an_older_wording_stays_as_it_was_signed() -> None:
    oldest = all_texts()[0]
    assert oldest.sha256 == "3614986ed50af227ddb83213ca9f53be106aeca55b042650c80fcfa73a2514a1"
    assert oldest.naming(["asked"]) == oldest
    assert current_texts()[0].naming([]) == current_texts()[0]


def test_every_situation_has_words_to_sign_in_both_languages(phone: Phone) -> None:
    shown = phone.get("/consent-texts").json()["situations"]
    assert [one["name"] for one in shown] == list(get_args(SituationName)) == list(situations())
    assert set(TELLS_OF) == set(situations()) == set(Situation.values)
    for name in situations():
        assert say_situation(name, language="en") != say_situation(name, language="es")


def test_the_choices_have_words_in_both_languages(phone: Phone) -> None:
    groups: dict[str, list[str]] = {
        "scopes": list(ConsentScope),
        "purposes": Purpose.values,
        "events": ExpiryEvent.values,
        "kinds": RecipientKind.values,
    }
    answer = phone.get("/consent-texts").json()
    for group, names in groups.items():
        assert {one["name"] for one in answer[group]} == set(names)
        for name in names:
            assert say(group, name, language="en") != say(group, name, language="es")


def test_each_language_says_the_rights_and_how_to_use_them() -> None:
    english, spanish = (text.text for text in current_texts())
    for words in ("take this back at any time", "do not have to agree", "42 CFR part 2"):
        assert words in english
    for words in ("retirar este permiso cuando quiera", "No tengo que aceptar", "42 CFR"):
        assert words in spanish


@pytest.mark.parametrize(
    ("items", "pointer", "code"),
    [
        ({"expires_on": None}, "/expires_on", "one_ending"),
        ({"expires_event": "discharge"}, "/expires_on", "one_ending"),
        ({"expires_on": "2020-01-01"}, "/expires_on", "in_the_past"),
        ({"scopes": []}, "/scopes", "invalid_value"),
        ({"scopes": ["everything"]}, "/scopes/0", "invalid_value"),
        ({"purpose": "curiosity"}, "/purpose", "invalid_value"),
        ({"signature_name": "  "}, "/signature_name", "invalid_value"),
        ({"signature_method": "assumed"}, "/signature_method", "invalid_value"),
        (
            {"recipient": {"kind": "support_contact", "name": "Rosa"}},
            "/recipient/contact_id",
            "contact_mismatch",
        ),
        (
            {"recipient": {"kind": "person", "name": "Rosa", "contact_id": str(uuid4())}},
            "/recipient/contact_id",
            "contact_mismatch",
        ),
        (
            {
                "recipient": {
                    "kind": "support_contact",
                    "name": "Rosa",
                    "contact_id": str(uuid4()),
                },
                "scopes": ["alerts"],
                "situations": ["asked", "not_safe"],
            },
            "/scopes",
            "situation_needs_scope",
        ),
    ],
)
def test_what_cannot_be_signed_is_refused_and_not_stored(
    phone: Phone, items: dict[str, Any], pointer: str, code: str
) -> None:
    answer = phone.post("/me/consents", consent_body(**items))
    assert answer.status_code == 400, answer.content
    (problem,) = answer.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (pointer, code)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "items", [{"text_sha256": "0" * 64}, {"text_version": 99}, {"text_language": "es"}]
)
def test_other_words_than_todays_are_not_signed(phone: Phone, items: dict[str, Any]) -> None:
    answer = phone.post("/me/consents", consent_body(**items))
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_text_changed")
    assert not Consent.objects.exists()


def test_the_same_again_is_the_same_row_whatever_became_of_it(phone: Phone) -> None:
    body = consent_body()
    first = phone.post("/me/consents", body)
    again = phone.post("/me/consents", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    phone.post(f"/me/consents/{body['id']}/revoke")
    late = phone.post("/me/consents", body)
    assert (late.status_code, late.json()["is_live"]) == (200, False)
    assert Consent.objects.count() == 1
    assert AuditEvent.objects.filter(action="consent.sign").count() == 1


def test_another_body_under_a_known_id_changes_nothing(phone: Phone) -> None:
    body = consent_body()
    first = phone.post("/me/consents", body).json()
    answer = phone.post("/me/consents", {**body, "scopes": ["check_ins", "notes"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert answer.json()["stored"] == first
    assert Consent.objects.get().scopes == ["check_ins"]


def test_anothers_id_tells_nothing_of_theirs(phone: Phone, people: People) -> None:
    body = consent_body()
    phone.post("/me/consents", body)
    answer = other_phone(people).post("/me/consents", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_in_use")
    assert "stored" not in answer.json()
    assert Consent.objects.count() == 1


def test_taking_back_is_at_once_for_good_and_safe_to_repeat(phone: Phone) -> None:
    body = consent_body()
    phone.post("/me/consents", body)
    first = phone.post(f"/me/consents/{body['id']}/revoke")
    again = phone.post(f"/me/consents/{body['id']}/revoke")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["is_live"] is False
    assert first.json()["revoked_at"]
    assert phone.get("/me/consents").json()["results"] == [first.json()]
    assert ConsentRevocation.objects.count() == 1
    assert AuditEvent.objects.filter(action="consent.revoke").count() == 1


def test_nobody_takes_back_what_is_not_theirs(phone: Phone, people: People) -> None:
    body = consent_body()
    phone.post("/me/consents", body)
    for consent_id in (body["id"], uuid4()):
        assert other_phone(people).post(f"/me/consents/{consent_id}/revoke").status_code == 404
    for user in (people.therapist.user, people.administrator.user):
        assert Phone.of(user).post(f"/me/consents/{body['id']}/revoke").status_code == 403
    assert not ConsentRevocation.objects.exists()


def test_nobody_signs_for_a_patient(people: People) -> None:
    for user in (people.therapist.user, people.administrator.user):
        assert Phone.of(user).post("/me/consents", consent_body()).status_code == 403
    assert Phone().post("/me/consents", consent_body()).status_code == 401
    assert not Consent.objects.exists()


def test_it_ends_with_its_last_day_where_the_patient_is(phone: Phone, people: People) -> None:
    people.patient.time_zone = "Pacific/Auckland"
    people.patient.save()
    with time_machine.travel("2026-03-01T20:00:00Z", tick=False):  # 2 March there
        body = consent_body(expires_on="2026-03-03")
        assert phone.post("/me/consents", body).status_code == 201
    shown = []
    for moment in ("2026-03-03T10:59:59Z", "2026-03-03T11:00:01Z"):
        with time_machine.travel(moment, tick=False):
            assert people.patient_user.access_tokens.update(
                expires_at=timezone.now() + timedelta(days=1)
            )
            shown += [one["is_live"] for one in phone.get("/me/consents").json()["results"]]
    assert shown == [True, False]


def test_a_day_that_is_over_only_elsewhere_may_still_be_signed(
    phone: Phone, people: People
) -> None:
    people.patient.time_zone = "America/New_York"
    people.patient.save()
    with time_machine.travel("2026-03-02T03:00:00Z", tick=False):  # still 1 March there
        assert phone.post("/me/consents", consent_body(expires_on="2026-03-01")).status_code == 201
        assert phone.post("/me/consents", consent_body(expires_on="2026-02-28")).status_code == 400


def test_it_ends_when_the_patient_leaves_the_programme(phone: Phone, people: People) -> None:
    body = consent_body(expires_on=None, expires_event="discharge")
    assert phone.post("/me/consents", body).json()["is_live"] is True
    people.patient.discharged_at = timezone.now()
    people.patient.save()
    (shown,) = phone.get("/me/consents").json()["results"]
    assert shown["is_live"] is False
    late = phone.post("/me/consents", consent_body(expires_on=None, expires_event="discharge"))
    assert late.json()["errors"][0]["code"] == "in_the_past"


def test_pages_hold_each_consent_once_the_newest_first(phone: Phone) -> None:
    ids = [phone.post("/me/consents", consent_body()).json()["id"] for _ in range(5)]
    seen: list[str] = []
    path = "/me/consents?limit=2"
    while path:
        page = phone.get(path).json()
        seen += [one["id"] for one in page["results"]]
        cursor = page["next_cursor"]
        path = f"/me/consents?limit=2&cursor={cursor}" if cursor else ""
    assert seen == ids[::-1]


# The care team ----------------------------------------------------------------------------------


def test_the_care_team_reads_them_and_is_seen(phone: Phone, people: People) -> None:
    phone.post("/me/consents", consent_body())
    path = f"/patients/{people.patient.pk}/consents"
    answer = Phone.of(people.therapist.user).get(path)
    assert answer.json()["results"] == phone.get("/me/consents").json()["results"]
    (event,) = AuditEvent.objects.filter(action="consents.read")
    assert (event.patient_id, event.actor_id) == (people.patient.pk, people.therapist.user_id)
    for user in (people.stranger.user, people.elsewhere_therapist.user):
        assert Phone.of(user).get(path).status_code == 404
    assert Phone.of(people.administrator.user).get(path).status_code == 403


def test_a_patient_sees_their_own_alone(phone: Phone, people: People) -> None:
    other_phone(people).post("/me/consents", consent_body())
    assert phone.get("/me/consents").json()["results"] == []


# Scopes ------------------------------------------------------------------------------------------


def test_every_scope_is_registered_by_an_area() -> None:
    """A scope nobody registered could be named in a consent and open nothing, or worse."""
    assert set(registered()) == set(ConsentScope)


# The table ---------------------------------------------------------------------------------------

TABLES = (
    "accounts_consent",
    "accounts_consentrevocation",
    "accounts_emergencyaccess",
    "accounts_emergencyaccessreview",
    "privacy_disclosure",
)


@pytest.mark.parametrize("role", ["DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL"])
@pytest.mark.parametrize("table", TABLES)
def test_no_role_changes_or_deletes_a_row(committed_db: None, table: str, role: str) -> None:
    column = "note" if table.endswith("review") else "revoked_at" if "revo" in table else "id"
    with psycopg.connect(os.environ[role], autocommit=True) as session:
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement)


def test_the_database_holds_the_shape_itself(committed_db: None, people: People) -> None:
    phone = Phone.of(people.patient_user)
    phone.post("/me/consents", consent_body())
    columns = "patient_id, discloser_id, discloser_name, recipient_kind, recipient_name"
    columns += ", recipient_affiliation, recipient_key, purpose, text_version, text_language"
    columns += ", text_sha256, signature_name, signature_method, signed_at, situations"
    for scopes, expires_on, event in (
        ("'{}'", "'2030-01-01'", "''"),
        ("'{notes}'", "NULL", "''"),
        ("'{notes}'", "'2030-01-01'", "'discharge'"),
    ):
        with owner_connection() as owner, pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(
                f"INSERT INTO accounts_consent (id, {columns}, scopes, expires_on, expires_event)"
                f" SELECT gen_random_uuid(), {columns}, {scopes}, {expires_on}::date, {event}"
                " FROM accounts_consent"
            )
