"""Each patient's own key: made once, wrapped anew while everything runs, and destroyed."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction
from pytest_django.fixtures import Settings

from backend.accounts import patient_keys
from backend.accounts.models import PatientKey
from backend.sealing import KeyRing, KeyRingError, UnreadableError
from backend.start import ENVIRONMENT
from backend.tracking.models import CheckIn
from tests.acting import carried
from tests.people import People
from tests.phones import Phone, check_in_body
from tests.privacy.noting import (
    new_key,
    noted,
    phone_of,
    raw,
    read_note,
    stored_text,
)

# Keys -------------------------------------------------------------------------------------------


def test_a_destroyed_key_leaves_nothing_to_read(
    committed_db: None, people: People, as_worker: None
):
    phone = phone_of(people.patient)
    row = noted(phone, note="mine")
    assert patient_keys.destroy(people.patient.pk) is True
    assert patient_keys.destroy(people.patient.pk) is False
    with pytest.raises(UnreadableError):
        read_note(row)
    assert read_note(noted(phone, note="under a new key")) == "under a new key"
    with pytest.raises(UnreadableError):
        read_note(row)


def test_the_web_process_can_destroy_or_change_no_key(phone: Phone, people: People):
    noted(phone, note="mine")
    for sql in ("DELETE FROM accounts_patientkey", "UPDATE accounts_patientkey SET key_id = 'x'"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            raw(sql)
    assert PatientKey.objects.filter(patient=people.patient).exists()


def test_a_key_of_a_transaction_that_was_undone_is_not_held_to(people: People):
    place = ("tracking_checkin", "note", uuid4())
    try:
        with transaction.atomic():
            first = patient_keys.seal(people.patient.pk, *place, "undone")
            assert patient_keys.unseal(people.patient.pk, *place, first) == "undone"
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    second = patient_keys.seal(people.patient.pk, *place, "kept")
    assert patient_keys.unseal(people.patient.pk, *place, second) == "kept"
    with pytest.raises(UnreadableError):
        patient_keys.unseal(people.patient.pk, *place, first)


def test_twenty_first_notes_at_once_make_one_key(committed_db: None, people: People):
    phone = phone_of(people.patient)

    def write(number: int) -> int:
        try:
            twin = Phone(phone.token)
            body = check_in_body(mood=6, note=f"no. {number}")
            return int(twin.post("/check-ins", body).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(write, range(20))) == {201}
    assert PatientKey.objects.count() == 1
    assert {read_note(row) for row in CheckIn.objects.all()} == {f"no. {n}" for n in range(20)}


# Rotation ---------------------------------------------------------------------------------------


def rotated(**options: Any) -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def test_keys_are_wrapped_anew_and_every_note_stays_readable(
    committed_db: None, people: People, as_worker: None, settings: Settings
):
    patients = (people.patient, people.other_patient, people.elsewhere_patient)
    rows = [noted(phone_of(patient), note=f"of {patient.given_name}") for patient in patients]
    before = [row.note for row in rows]
    old, new = settings.PATIENT_KEYS, f"second:{new_key()}"
    settings.PATIENT_KEYS = f"{new} {old}"
    assert patient_keys.rewrap(most=1) == 1  # stopped in the middle
    assert [read_note(row) for row in rows] == before
    assert "2 wrapped anew by second." in rotated(batch=1)
    assert patient_keys.count_by_key() == {"second": 3}
    assert "0 wrapped anew" in rotated()
    settings.PATIENT_KEYS = new
    assert [read_note(row) for row in rows] == before
    settings.PATIENT_KEYS = old
    with pytest.raises(UnreadableError):
        read_note(rows[0])


def test_rotation_goes_on_while_everybody_writes(
    committed_db: None, people: People, as_worker: None, settings: Settings
):
    patients = (people.patient, people.other_patient, people.elsewhere_patient)
    tokens = [phone_of(patient).token for patient in patients]
    old = settings.PATIENT_KEYS

    def write(number: int) -> int:
        try:
            body = check_in_body(mood=6, note=f"no. {number}")
            return int(Phone(tokens[number % 3]).post("/check-ins", body).status_code)
        finally:
            connections.close_all()

    def rotate(_number: int) -> int:
        try:
            return patient_keys.rewrap(most=1)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(12))) == {201}
        settings.PATIENT_KEYS = f"second:{new_key()},{old}"
        turns = [pool.submit(carried(rotate), n) for n in range(6)]
        assert set(pool.map(write, range(12, 36))) == {201}
        assert sum(turn.result() for turn in turns) <= 3
    rotated()
    assert patient_keys.count_by_key() == {"second": 3}
    assert {read_note(row) for row in CheckIn.objects.all()} == {f"no. {n}" for n in range(36)}


def test_a_key_nobody_holds_is_said_and_nothing_is_touched(
    committed_db: None, people: People, as_worker: None, settings: Settings
):
    noted(phone_of(people.patient), note="mine")
    before = stored_text("accounts_patientkey")
    settings.PATIENT_KEYS = f"second:{new_key()}"
    with pytest.raises(CommandError, match="does not hold"):
        rotated()
    assert stored_text("accounts_patientkey") == before


# The ring ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "no-colon",
        "a:short",
        f"a:{'A' * 43}",
        f":{'b' * 43}",
        f"a b:{secrets.token_urlsafe(32)}",
        f"{'n' * 33}:{secrets.token_urlsafe(32)}",
        f"a:{secrets.token_urlsafe(31)}",
        f"a:{secrets.token_urlsafe(33)}",
    ],
    ids=range(10),
)
def test_keys_that_are_written_wrongly_are_refused_and_not_repeated(text: str):
    with pytest.raises(KeyRingError) as caught:
        KeyRing.parse(text)
    for part in text.replace(":", " ").split():
        assert len(part) < 12 or part not in str(caught.value)


def test_a_key_or_an_id_twice_is_refused():
    one = new_key()
    for text in (f"a:{one} a:{new_key()}", f"a:{one},b:{one}"):
        with pytest.raises(KeyRingError):
            KeyRing.parse(text)


def test_the_first_key_wraps_and_every_key_unwraps():
    old, new = f"old:{new_key()}", f"new:{new_key()}"
    wrapped = KeyRing.parse(old).wrap(b"k" * 32, owner=b"someone")
    both = KeyRing.parse(f"{new}\n{old}\n")
    assert both.current == "new"
    assert both.unwrap(wrapped, key_id="old", owner=b"someone") == b"k" * 32
    for key_id, owner in (("new", b"someone"), ("old", b"another"), ("third", b"someone")):
        with pytest.raises(UnreadableError):
            both.unwrap(wrapped, key_id=key_id, owner=owner)


@pytest.mark.parametrize("broken", ["", "a:short"])
@pytest.mark.parametrize("role", ["web", "worker"])
def test_production_does_not_start_without_a_key(broken: str, role: str, settings: Settings):
    settings.HANDRAIL_ENV, settings.DATABASE_ROLE = "production", role
    settings.PATIENT_KEYS = f"k1:{new_key()}"
    assert "handrail.E020" not in {m.id for m in run_checks(tags=[ENVIRONMENT])}
    settings.PATIENT_KEYS = broken
    assert "handrail.E020" in {m.id for m in run_checks(tags=[ENVIRONMENT])}
