"""However broken a body is, what is acute in it is heard, and nothing else is made up."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.aftercare.decision_rules import AcuteFacts
from backend.intake.lenient import read_leniently

ID = "0c0a5e3a-4a1f-4a7b-9a64-3a51b6f6f9d1"
NOTHING = AcuteFacts()


@pytest.mark.parametrize(
    "raw",
    [
        f'{{"id": "{ID}", "not_safe": true}}'.encode(),
        f'{{"id": "{ID}", "not_safe": true, "mood": "x", "unknown": []}}'.encode(),
        f'{{"id": "{ID}", "not_safe": true, "note": "a\x00b"}}'.encode(),
        f'{{"id": "{ID}", "note": "cut off in the middle", "not_safe": true, "mo'.encode(),
        f'{{"id": "{ID}", "not_safe": true, "note": "'.encode() + b"x" * 2_000_000,
        f'{{"id": "{ID}", "not_safe": true, "note": "\xff"}}'.encode("latin-1"),
    ],
    ids=["whole", "wrong types", "NUL", "cut off", "two megabytes", "not UTF-8"],
)
def test_not_safe_is_heard_in(raw: bytes):
    reading = read_leniently(raw)
    assert reading.facts.not_safe
    assert reading.client_id == UUID(ID)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"not_safe"',
        b'{"not_safe": "true"}',
        b'{"not_safe": 1}',
        b'{"not_safe": false}',
        b'{"craving": true}',
        b'{"craving": 11}',
        b'{"craving": -1}',
        b'{"craving": 8.5}',
        b'{"mood": "0"}',
        b'{"note": "\\"not_safe\\": true"}',
        b'{"note": "\\"not_safe\\": true',
        b'{"withdrawal_symptoms": "seizure"}',
        b'{"withdrawal_symptoms": ["dragons"]}',
        b"[" * 100_000,
    ],
)
def test_nothing_is_made_up_of(raw: bytes):
    assert read_leniently(raw).facts == NOTHING


def test_valid_values_count_beside_invalid_ones():
    raw = json.dumps({"craving": 9, "mood": 99, "sleep_hours": 3.5, "use_reported": True})
    facts = read_leniently(raw.encode()).facts
    assert facts == AcuteFacts(craving=9, sleep_hours=3.5, use_reported=True)


def test_lists_of_a_cut_off_body_are_read():
    raw = b'{"withdrawal_reported": true, "withdrawal_symptoms": ["seizure", "shaking'
    assert read_leniently(raw).facts.withdrawal_symptoms == {"seizure"}


def test_without_an_id_the_same_bytes_have_the_same_one():
    assert read_leniently(b'{"not_safe": true}') == read_leniently(b'{"not_safe": true}')
    assert read_leniently(b"{}").client_id != read_leniently(b"{ }").client_id


@given(st.binary(max_size=400))
def test_it_never_raises(raw: bytes):
    assert isinstance(read_leniently(raw).client_id, UUID)
