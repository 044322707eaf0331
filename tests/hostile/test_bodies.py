"""Bodies that nobody's app sends: each is a clear refusal, nothing of it is stored."""

from __future__ import annotations

import gzip
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.apps import apps

from backend.aftercare.models import AcuteReport, Alert
from backend.intake.bodies import CheckInBody
from backend.tracking.models import CheckIn
from tests.people import People
from tests.phones import Phone, check_in_body

# What a body may name of itself; every other field of every model is somebody's attempt.
OWN = {field.name for field in msgspec.structs.fields(CheckInBody)}
EVERY_FIELD = sorted(
    {
        name
        for model in apps.get_models()
        for field in model._meta.get_fields()
        for name in {field.name, getattr(field, "attname", field.name)}
    }
    - OWN
)
VALUES: tuple[Any, ...] = ("00000000-0000-4000-8000-000000000000", 7, True, "import", None)


def with_member(name: str, raw_value: str) -> bytes:
    """A good check-in with one more member, written as it stands."""
    good = msgspec.json.encode(check_in_body(mood=6))
    return good[:-1] + f',"{name}":{raw_value}}}'.encode("utf-8", "surrogatepass")


def assert_refused(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.content[:300]
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["crisis_resources"]
    assert not CheckIn.objects.exists()
    assert not AcuteReport.objects.exists()


RAW = {
    "nothing": b"",
    "a NUL in the JSON": with_member("note", '"a\x00b"'),
    "a NUL escaped": with_member("note", '"a\\u0000b"'),
    "a lone surrogate escaped": with_member("note", '"\\ud800"'),
    "a lone surrogate in bytes": with_member("note", '"\ud800"'),
    "bytes that are no UTF-8": with_member("note", '"x"').replace(b'"x"', b'"\xff\xfe"'),
    "UTF-16": msgspec.json.encode(check_in_body(mood=6)).decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + msgspec.json.encode(check_in_body(mood=6)),
    "NaN": with_member("sleep_hours", "NaN"),
    "Infinity": with_member("sleep_hours", "Infinity"),
    "-Infinity": with_member("sleep_hours", "-Infinity"),
    "a number without end": with_member("sleep_hours", "1e400"),
    "a huge whole number": with_member("craving", "9" * 400),
    "below zero": with_member("craving", "-1"),
    "minus nothing": with_member("craving", "-0.5"),
    "a hexadecimal": with_member("craving", "0x8"),
    "a number in words": with_member("craving", '"3"'),
    "true for a number": with_member("craving", "true"),
    "a list for a number": with_member("craving", "[3]"),
    "deep lists": with_member("note", "[" * 20_000 + "]" * 20_000),
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "a comment": with_member("note", '"x" /* y */'),
    "a trailing comma": b'{"mood": 6,}',
    "two documents": b"{}{}",
    "a list": b"[]",
    "a word": b'"mood"',
    "a number": b"17",
    "null": b"null",
    "another prototype": with_member("__proto__", '{"mood": 1}'),
    "a constructor": with_member("constructor", '{"prototype": {}}'),
    "ten thousand members": b"{" + b",".join(b'"k%d":1' % i for i in range(10_000)) + b"}",
    "a date in another world": with_member("use_on", '"0000-00-00"'),
    "a year of five digits": with_member("use_on", '"10000-01-01"'),
}


@pytest.mark.parametrize("name", RAW)
def test_a_hostile_check_in_is_refused(name: str, phone: Phone) -> None:
    assert_refused(phone.post("/check-ins", RAW[name]), 400, 413, 415)


@pytest.mark.parametrize("name", RAW)
def test_the_same_body_spoils_no_sync(name: str, phone: Phone) -> None:
    answer = phone.post("/sync", b'{"changes":[' + RAW[name] + b"]}")
    assert answer.status_code in (200, 400, 413), answer.content[:300]
    if answer.status_code == 200:
        assert {result["status"] for result in answer.json()["results"]} <= {"invalid"}
    assert not CheckIn.objects.exists()


def test_ten_megabytes_are_refused_and_heard(phone: Phone) -> None:
    start = msgspec.json.encode({"id": str(uuid4()), "not_safe": True})[:-1]
    answer = phone.post("/check-ins", start + b',"note":"' + b"x" * 10_000_000 + b'"}')
    assert answer.status_code == 413
    assert answer.json()["crisis_resources"]
    assert Alert.objects.get().condition == "safety"
    assert not CheckIn.objects.exists()


def test_a_sync_cut_off_in_the_middle_is_heard_item_by_item(phone: Phone) -> None:
    """The first item's calm answers do not stand for those of the next."""
    items = [check_in_body(mood=6, not_safe=False), check_in_body(not_safe=True, mood=6)]
    changes = [{"op": "create", "type": "check_in", "item": item} for item in items]
    raw = msgspec.json.encode({"changes": changes})
    assert phone.post("/sync", raw[:-5]).status_code == 400
    assert AcuteReport.objects.get().client_id == UUID(items[1]["id"])
    assert Alert.objects.get().condition == "safety"
    assert not CheckIn.objects.exists()


def test_of_two_members_with_one_name_neither_hides_the_cry_for_help(phone: Phone) -> None:
    """Parsers differ in which one they take: what is stored is what was answered."""
    body = msgspec.json.encode(check_in_body(mood=6))[:-1] + b',"mood":2}'
    answer = phone.post("/check-ins", body)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert answer.json()["check_in"]["mood"] == CheckIn.objects.get().mood


@pytest.mark.parametrize("name", EVERY_FIELD)
def test_no_field_of_any_model_can_be_set_by_its_name(name: str, phone: Phone) -> None:
    answers = [phone.post("/check-ins", check_in_body(mood=6, **{name: v})) for v in VALUES]
    assert {answer.status_code for answer in answers} == {400}
    assert not CheckIn.objects.exists()


def test_no_field_of_any_model_can_be_set_by_an_amendment(phone: Phone, people: People) -> None:
    body = check_in_body(mood=6)
    phone.post("/check-ins", body)
    before = CheckIn.objects.values().get()
    path = f"/check-ins/{body['id']}"
    # One value for each name: there is a limit to how often a phone may try.
    for name, value in zip([*EVERY_FIELD, "id", "recorded_at"], cycle(VALUES)):
        answer = phone.request("PATCH", path, {name: value}, **{"if-match": '"1"'})
        assert answer.status_code == 400, (name, value)
    assert CheckIn.objects.values().get() == before


OTHER_BODIES: dict[str, dict[str, Any]] = {
    "/sign-in": {"email": "a@example.org", "password": "x"},
    "/sign-in/mfa": {"mfa_token": "x", "code": "000000"},
    "/sign-in/mfa/enrolment": {"mfa_token": "x"},
    "/enrol": {"code": "7K2M", "email": "a@example.org", "password": "x", "born_on": "1990-01-01"},
    "/sync": {"changes": []},
}


@pytest.mark.parametrize("path", OTHER_BODIES)
def test_every_other_body_refuses_unknown_names_too(path: str, phone: Phone) -> None:
    for name in ("patient_id", "role", "is_active", "organisation", "user_id", "source", "$where"):
        answer = phone.post(path, {**OTHER_BODIES[path], name: "clinician"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body"), name


def test_a_device_takes_nobody_elses_name(phone: Phone, people: People) -> None:
    body = {"push_target": "target-of-a-phone"}
    for name in ("user", "user_id", "unbound_at", "registered_at", "id", "installation_id"):
        answer = phone.put(f"/devices/{uuid4()}", {**body, name: str(people.therapist.user_id)})
        assert answer.status_code == 400, name


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_packed_body_is_never_unpacked(encoding: str, phone: Phone) -> None:
    packed = gzip.compress(msgspec.json.encode(check_in_body(mood=6)) + b" " * 50_000_000)
    answer = phone.post("/check-ins", packed, **{"content-encoding": encoding})
    assert_refused(answer, 400, 413, 415)


TEXTS = {
    "SQL": "'; DROP TABLE tracking_checkin; -- \" $$ \\",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "a template": "{{ settings.SECRET_KEY }} {% debug %} ${7*7} #{7*7} %(x)s %s {0}",
    "a log line": "line\r\nSet-Cookie: a=b\r\n\x1b[31mred",
    "another order": "\u202eevil\u202c \u2066x\u2069",
    "combining": "Z" + "\u0351" * 200,
    "families": "👩‍👩‍👧‍👦 🏳️‍🌈 \U0010ffff",
    "composed": "é",
    "decomposed": "e\u0301",
    "a number": "=1+1",
    "a path": "../../etc/passwd\\..\\",
}


@pytest.mark.parametrize("name", TEXTS)
def test_words_come_back_as_they_were_sent(name: str, phone: Phone) -> None:
    body = check_in_body(note=TEXTS[name], cues=[TEXTS[name][:40]])
    answer = phone.post("/check-ins", body)
    assert answer.status_code == 201
    assert answer["Content-Type"].startswith("application/json")
    assert answer["X-Content-Type-Options"] == "nosniff"
    shown = phone.get("/check-ins").json()["results"][0]
    assert (shown["note"], shown["cues"]) == (TEXTS[name], [TEXTS[name][:40]])
    assert CheckIn.objects.get(pk=UUID(body["id"])).note == TEXTS[name]


def test_a_conflict_repeats_nothing_of_the_attempt(phone: Phone) -> None:
    body = check_in_body(mood=6, note="what stands")
    phone.post("/check-ins", body)
    answer = phone.post("/check-ins", {**body, "note": "<b>canary</b>"})
    assert answer.status_code == 409
    assert b"canary" not in answer.content
