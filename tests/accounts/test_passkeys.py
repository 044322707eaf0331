"""Passkeys: whose they are, which question they answer, for which name they were made."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from backend.accounts.models import AuditEvent, SecondFactor, User
from tests.dashboard.browsing import browser_of, shown
from tests.people import PASSWORD, People, enrol_app

ORIGIN, HOST = "http://localhost", "localhost"
HERE: dict[str, Any] = {"headers": {"host": HOST}}
PRESENT, HAS_CREDENTIAL = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.AT


@dataclass
class Key:
    """An authenticator in software, which signs whatever it is asked."""

    secret: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: os.urandom(16))

    def make(self, question: dict[str, Any], origin: str = ORIGIN) -> str:
        public_key = self.secret.public_key()
        public = dict(ES256.from_cryptography_key(public_key))  # type: ignore[no-untyped-call]
        data = AuthenticatorData.create(
            hashlib.sha256(question["rp"]["id"].encode()).digest(),
            PRESENT | HAS_CREDENTIAL,
            0,
            _credential(self.id, public),
        )
        made = AttestationObject.create("none", data, {})
        client = _client("webauthn.create", question, origin)
        return self._answer(clientDataJSON=client, attestationObject=bytes(made))

    def sign(self, question: dict[str, Any], origin: str = ORIGIN) -> str:
        rp = hashlib.sha256(question["rpId"].encode()).digest()
        data = AuthenticatorData.create(rp, PRESENT, 1)
        client = _client("webauthn.get", question, origin)
        signed = self.secret.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=bytes(data), signature=signed)

    def _answer(self, **parts: bytes) -> str:
        response = {name: websafe_encode(part) for name, part in parts.items()}
        key = websafe_encode(self.id)
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})


def _credential(key_id: bytes, public: dict[int, Any]) -> Any:
    return AttestedCredentialData.create(Aaguid.NONE, key_id, public)  # type: ignore[arg-type]


def _client(kind: str, question: dict[str, Any], origin: str) -> bytes:
    return bytes(CollectedClientData.create(kind, question["challenge"], origin))


def question_in(page: Any) -> dict[str, Any]:
    raw = shown(page).partition('data-options="')[2].partition('"')[0]
    question: dict[str, Any] = json.loads(raw.replace("&quot;", '"'))["publicKey"]
    return question


def add(browser: Client, key: Key, origin: str = ORIGIN) -> int:
    question = question_in(browser.get("/desk/security", **HERE))
    body = {"passkey": key.make(question, origin), "name": "Laptop"}
    return browser.post("/desk/security", body, **HERE).status_code


def second_step(user: User) -> tuple[Client, dict[str, Any]]:
    browser = Client()
    browser.post("/desk/sign-in", {"email": user.email, "password": PASSWORD}, **HERE)
    return browser, question_in(browser.get("/desk/second-step", **HERE))


def send(browser: Client, answer: str) -> tuple[int, str]:
    sent = browser.post("/desk/second-step", {"passkey": answer}, **HERE)
    return sent.status_code, sent.headers.get("Location", "")


@pytest.fixture
def user(people: People) -> User:
    enrol_app(people.therapist.user)
    return people.therapist.user


@pytest.fixture
def key(user: User) -> Key:
    """A passkey of the therapist's."""
    key = Key()
    assert add(browser_of(user), key) == 302
    return key


def test_a_passkey_opens_the_second_step_and_is_audited(user: User, key: Key) -> None:
    browser, question = second_step(user)
    assert send(browser, key.sign(question)) == (302, "/desk/")
    assert browser.get("/desk/").status_code == 200
    assert AuditEvent.objects.get(action="mfa.pass").facts == {"by": "passkey"}
    assert AuditEvent.objects.filter(action="passkey.add", actor_id=user.pk).exists()


def test_only_its_public_part_is_kept(key: Key) -> None:
    number = key.secret.private_numbers().private_value.to_bytes(32, "big")
    assert number not in bytes(SecondFactor.objects.get(kind="passkey").credential)


def test_somebody_elses_passkey_is_refused(user: User, key: Key) -> None:
    browser, question = second_step(user)
    assert send(browser, Key().sign(question))[0] == 401
    stolen = Key(id=key.id)
    browser, question = second_step(user)
    assert send(browser, stolen.sign(question))[0] == 401
    assert browser.get("/desk/").status_code == 302


def test_an_answer_to_an_earlier_question_is_refused(user: User, key: Key) -> None:
    browser, first = second_step(user)
    browser.get("/desk/second-step", **HERE)
    assert send(browser, key.sign(first))[0] == 401


def test_an_answer_works_once(user: User, key: Key) -> None:
    browser, question = second_step(user)
    answer = key.sign(question)
    assert send(browser, answer)[0] == 302
    other, _question = second_step(user)
    assert send(other, answer)[0] == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1"])
def test_another_site_gets_no_use_of_it(user: User, key: Key, origin: str) -> None:
    browser, question = second_step(user)
    assert send(browser, key.sign(question, origin))[0] == 401
    assert add(browser_of(user), Key(), origin) == 400


@pytest.mark.parametrize("answer", ["{}", "[]", "x", "[" * 9_000, '{"id": 1}', '"' * 30_000])
def test_made_up_answers_are_refused(user: User, key: Key, answer: str) -> None:
    browser, _question = second_step(user)
    assert send(browser, answer)[0] == 401
    desk = browser_of(user)
    assert desk.post("/desk/security", {"passkey": answer}, **HERE).status_code == 400


def test_a_passkey_is_added_once(user: User, key: Key) -> None:
    assert add(browser_of(user), key) == 400
    assert SecondFactor.objects.filter(kind="passkey").count() == 1


def test_one_removes_ones_own_alone(people: People, user: User, key: Key) -> None:
    row = SecondFactor.objects.get(kind="passkey")
    other = browser_of(people.stranger.user)
    for wanted in (str(row.pk), "not-an-id"):
        answer = other.post("/desk/security", {"remove": wanted})
        assert answer.status_code == 404
    assert browser_of(user).post("/desk/security", {"remove": str(row.pk)}).status_code == 302
    assert not SecondFactor.objects.filter(kind="passkey").exists()
    assert AuditEvent.objects.filter(action="passkey.remove", actor_id=user.pk).exists()
