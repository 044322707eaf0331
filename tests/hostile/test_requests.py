"""Headers, addresses and parameters that nobody's app sends."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.test import Client

from backend.accounts.models import AuditEvent
from backend.rest import encode_cursor
from backend.tracking.models import CheckIn
from tests.people import People
from tests.phones import Phone, check_in_body

# The same in every process that collects these tests.
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def stored(phone: Phone) -> str:
    body = check_in_body(mood=6, note="mine alone")
    assert phone.post("/check-ins", body).status_code == 201
    return str(body["id"])


@pytest.fixture
def other(people: People) -> Phone:
    assert people.other_patient.user is not None
    return Phone.of(people.other_patient.user)


# The way in -------------------------------------------------------------------------------------

SCHEMES = ["Basic {}", "Token {}", "{}", "Bearer", "Bearer  ", "Bearer {} {}", "Bearer {},{}"]


@pytest.mark.parametrize("written", SCHEMES)
def test_a_token_in_another_dress_opens_nothing(written: str, phone: Phone) -> None:
    bare = Phone()
    given = written.format(phone.token, phone.token)
    assert bare.get("/trends", authorization=given).status_code == 401


@pytest.mark.parametrize("second", ["Bearer made-up", "Basic YTpi", ""])
def test_of_several_authorizations_none_counts(second: str, phone: Phone) -> None:
    """Servers join repeated headers with a comma: that is no token of anybody."""
    joined = f"Bearer {phone.token}, {second}"
    assert Phone().get("/trends", authorization=joined).status_code == 401
    joined = f"{second}, Bearer {phone.token}"
    assert Phone().get("/trends", authorization=joined).status_code == 401


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_a_very_long_token_is_only_wrong(size: int, db: None) -> None:
    assert Phone().get("/trends", authorization="Bearer " + "a" * size).status_code == 401


@pytest.mark.parametrize("token", ["\x00", "a\x00b", "é", "\ud800".encode("utf-8", "replace")])
def test_a_token_of_strange_letters_is_only_wrong(token: Any, db: None) -> None:
    assert Phone().get("/trends", authorization=f"Bearer {token}").status_code == 401


@pytest.mark.parametrize("where", ["?token={}", "?access_token={}", "?authorization=Bearer%20{}"])
def test_a_token_in_the_address_opens_nothing(where: str, phone: Phone) -> None:
    assert Phone().get(f"/trends{where.format(phone.token)}").status_code == 401


# Another method, another type -----------------------------------------------------------------

OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


@pytest.mark.parametrize("header", OVERRIDES)
def test_a_header_changes_no_method(header: str, phone: Phone, stored: str) -> None:
    answer = phone.post(f"/check-ins/{stored}", {}, **{header: "DELETE"})
    assert answer.status_code == 405
    assert phone.post(f"/check-ins/{stored}?_method=DELETE", {}).status_code == 405
    assert CheckIn.objects.get().withdrawn_at is None


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "GETS", "LINK"])
def test_an_unknown_method_does_nothing(method: str, phone: Phone, stored: str) -> None:
    answer = phone.request(method, f"/check-ins/{stored}")
    assert answer.status_code == 405
    assert b"mine alone" not in answer.content


TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "application/json-patch+json",
    "text/json",
    "",
    "*/*",
    "application/json\x00",
]


@pytest.mark.parametrize("content_type", TYPES)
def test_only_json_is_read(content_type: str, phone: Phone) -> None:
    client = Client(raise_request_exception=False)
    answer = client.generic(
        "POST",
        "/api/v1/check-ins",
        msgspec.json.encode(check_in_body(mood=6)),
        content_type=content_type,
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "json_only")
    assert not CheckIn.objects.exists()


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "latin-1", "utf-7"])
def test_json_is_utf_8_whatever_is_said(charset: str, phone: Phone) -> None:
    client = Client(raise_request_exception=False)
    body = check_in_body(note="ä+AGE-")
    answer = client.generic(
        "POST",
        "/api/v1/check-ins",
        msgspec.json.encode(body),
        content_type=f"application/json; charset={charset}",
        headers={"authorization": f"Bearer {phone.token}"},
    )
    assert answer.status_code in (201, 415)
    assert {row.note for row in CheckIn.objects.all()} <= {"ä+AGE-"}


# What is said about oneself and about others -----------------------------------------------------

SPOOFED = (
    "X-User-Id",
    "X-Forwarded-User",
    "X-Remote-User",
    "Remote-User",
    "X-Role",
    "X-Patient-Id",
)


@pytest.mark.parametrize("header", SPOOFED)
def test_no_header_makes_somebody_else_of_one(
    header: str, phone: Phone, stored: str, other: Phone, people: People
) -> None:
    said = {header: str(people.patient_user.pk)}
    assert Phone().get("/check-ins", **said).status_code == 401
    assert other.get("/check-ins", **said).json()["results"] == []


@pytest.mark.parametrize("name", ["patient_id", "patient", "user_id", "user", "id", "organisation"])
def test_no_parameter_shows_somebody_else(
    name: str, phone: Phone, stored: str, other: Phone, people: People
) -> None:
    for value in (people.patient.pk, people.patient_user.pk, stored):
        assert other.get(f"/check-ins?{name}={value}").json()["results"] == []


@pytest.mark.parametrize(
    "given", ["a\r\nSet-Cookie: x=y", "a" * 10_000, "\x00", "é" * 9, "%0d%0aX"]
)
def test_what_is_said_of_the_request_comes_back_in_no_header(given: str, phone: Phone) -> None:
    answer = phone.get("/trends", **{"X-Request-ID": given})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer and answer["X-Request-ID"].isalnum()
    event = AuditEvent.objects.order_by("-pk").first()
    assert event is None or given not in event.request_id


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", ""])
def test_another_host_is_refused(host: str, phone: Phone) -> None:
    answer = phone.get("/help", host=host)
    assert answer.status_code in (200, 400)
    assert host == "" or b"evil" not in answer.content


@pytest.mark.parametrize(
    "value", ["x", '"', '""', "*", '"1", "2"', "W/", "-1", "9" * 400, "1e1", "１"]
)
def test_a_revision_that_is_none_changes_nothing(value: str, phone: Phone, stored: str) -> None:
    match = {"if-match": value}
    answer = phone.request("PATCH", f"/check-ins/{stored}", {"mood": 1}, **match)
    assert answer.status_code in (400, 409, 428)
    assert CheckIn.objects.get().mood == 6


# Addresses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/check-ins/{id}/",
        "/check-ins//{id}",
        "/./check-ins/{id}",
        "/patients/../check-ins/{id}",
        "/%2e%2e/v1/check-ins/{id}",
        "/check-ins%2f{id}",
        "/CHECK-INS/{id}",
        "/check-ins/{ID}",
        "/check-ins/{id}%00",
        "/check-ins/{id};x=y",
        "/check-ins/{id}.json",
        "/check-ins/{id}%20",
        "/check-ins/{bare}",
        "/check-ins/urn:uuid:{id}",
        "\\check-ins\\{id}",
    ],
)
def test_an_address_written_in_another_way_reaches_nothing_of_others(
    path: str, stored: str, other: Phone
) -> None:
    names = {"id": stored, "ID": stored.upper(), "bare": UUID(stored).hex}
    answer = other.request("PATCH", path.format(**names), {"mood": 1}, **{"if-match": '"1"'})
    assert answer.status_code == 404
    assert b"mine alone" not in answer.content
    assert CheckIn.objects.get().mood == 6


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1e2", "١", "", "x", "9" * 400, "1 ", "0x10"])
def test_a_page_of_another_size_is_refused(limit: str, phone: Phone) -> None:
    assert phone.get(f"/check-ins?limit={limit}").status_code == 400


CURSORS = [
    "x",
    "%00",
    "A" * 100_000,
    encode_cursor([]),
    encode_cursor(["a", "b"]),
    encode_cursor(["2026-01-01T00:00:00+00:00", "'; DROP TABLE x"]),
    encode_cursor(["0001-01-01T00:00:00+23:59", NOBODY]),
    encode_cursor(["9999-12-31T23:59:59-23:59", NOBODY]),
    encode_cursor(["2026-01-01T00:00:00", NOBODY]),
    base64.urlsafe_b64encode(b"[1, 2]").decode(),
    base64.urlsafe_b64encode(b"\xff\xff").decode(),
]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_made_up_page_marker_is_refused_or_empty(
    cursor: str, phone: Phone, stored: str, other: Phone
) -> None:
    answer = other.get(f"/check-ins?cursor={cursor}")
    assert answer.status_code in (200, 400), answer.content[:300]
    assert b"mine alone" not in answer.content


SYNC_CURSORS = [
    [NOBODY, "0", ""],
    [NOBODY, "-1", NOBODY],
    [NOBODY, "9" * 400, NOBODY],
    [NOBODY, "9223372036854775808", NOBODY],
    [NOBODY, "1_0", NOBODY],
    ["", "", ""],
    ["x", "1", ""],
]


@pytest.mark.parametrize("parts", SYNC_CURSORS, ids=str)
@pytest.mark.parametrize("is_our_epoch", [True, False])
def test_a_made_up_place_in_the_sequence_shows_nothing_of_others(
    parts: list[str], is_our_epoch: bool, phone: Phone, stored: str, other: Phone
) -> None:
    if is_our_epoch:
        given = other.post("/sync", {"changes": []}).json()["cursor"]
        epoch = msgspec.json.decode(base64.urlsafe_b64decode(given + "=="))[0]
        parts = [epoch, *parts[1:]]
    answer = other.post("/sync", {"changes": [], "cursor": encode_cursor(parts)})
    assert answer.status_code in (200, 400), answer.content[:300]
    assert b"mine alone" not in answer.content


def test_a_page_marker_of_somebody_else_turns_ones_own_pages_only(
    phone: Phone, other: Phone
) -> None:
    for mood in range(3):
        phone.post("/check-ins", check_in_body(mood=mood + 3, note="mine alone"))
    cursor = phone.get("/check-ins?limit=1").json()["next_cursor"]
    answer = other.get(f"/check-ins?limit=1&cursor={cursor}")
    assert (answer.status_code, answer.json()["results"]) == (200, [])


@pytest.mark.parametrize("country", ["", "U", "ZZ", "us", "\x00\x00", "🇺🇸", "US,GB", "'--", "%00"])
def test_any_country_gets_lines_or_advice(country: str, phone: Phone) -> None:
    for path in ("/help", "/me/help", "/me/safety-bundle"):
        assert phone.get(f"{path}?country={country}").status_code == 200
