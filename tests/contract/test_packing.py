"""Answers are packed for who asks, and are the same when unpacked."""

from __future__ import annotations

import gzip
import json

from tests.people import People
from tests.phones import Phone, check_in_body


def test_a_long_answer_is_packed_for_who_asks(phone: Phone) -> None:
    plain = phone.get("/me/help")
    packed = phone.get("/me/help", **{"accept-encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert json.loads(gzip.decompress(packed.content)) == plain.json()
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) * 0.7


def test_an_error_is_packed_too(db: None) -> None:
    answer = Phone().get("/me/help", **{"accept-encoding": "gzip"})
    assert (answer.status_code, answer["Content-Encoding"]) == (401, "gzip")
    assert json.loads(gzip.decompress(answer.content))["code"] == "unauthenticated"


def test_a_packed_etag_still_names_the_revision(phone: Phone) -> None:
    body = check_in_body(mood=6)
    made = phone.post("/check-ins", body, **{"accept-encoding": "gzip"})
    assert made["ETag"] == 'W/"1"'
    changed = phone.request(
        "PATCH", f"/check-ins/{body['id']}", {"mood": 5}, **{"if-match": made["ETag"]}
    )
    assert changed.status_code == 200


def test_a_packed_bundle_need_not_be_sent_again(phone: Phone, people: People) -> None:
    first = phone.get("/me/safety-bundle", **{"accept-encoding": "gzip"})
    asked = {"accept-encoding": "gzip", "if-none-match": first["ETag"]}
    again = phone.get("/me/safety-bundle", **asked)
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_is_packed_with_a_length_that_tells_nothing(db: None) -> None:
    client = Phone().client
    lengths = {
        len(client.get("/desk/sign-in", headers={"accept-encoding": "gzip"}).content)
        for _ in range(8)
    }
    assert len(lengths) > 1
