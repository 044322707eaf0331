"""Signing in and out: one answer for every wrong try, limits that outlive the broker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis

from backend import errors
from backend.accounts import rate_limits
from backend.accounts.models import AccessToken, AuditEvent, Device, RateCounter, User
from backend.accounts.services import signing_in
from backend.accounts.tokens import hash_token
from tests.contract.calls import Answer
from tests.people import PASSWORD, People, make_device, next_code
from tests.phones import Phone


def sign_in(email: str, password: str = PASSWORD, **headers: str) -> Answer:
    return Phone().post("/sign-in", {"email": email, "password": password}, **headers)


def both_steps(user: User) -> Answer:
    code, first = next_code(user), sign_in(user.email).json()
    return Phone().post("/sign-in/mfa", {"mfa_token": first["mfa_token"], "code": code})


@pytest.fixture
def user(people: People) -> User:
    return people.patient_user


@pytest.fixture
def closed_account(user: User) -> User:
    User.objects.filter(pk=user.pk).update(is_active=False)
    return user


def test_the_right_password_opens(user: User) -> None:
    answer = sign_in(user.email)
    assert answer.status_code == 200
    assert answer.json().keys() == {"token", "expires_at", "role", "language"}
    assert Phone(token=answer.json()["token"]).get("/trends").status_code == 200


def test_signing_in_is_audited_by_id_alone(user: User) -> None:
    token = sign_in(user.email).json()["token"]
    event = AuditEvent.objects.get(action="sign_in")
    assert (event.actor_id, event.actor_role, event.was_allowed) == (user.pk, "patient", True)
    assert token not in str(event.__dict__)
    assert user.email not in str(event.__dict__)


def test_the_case_of_the_address_does_not_matter(user: User) -> None:
    assert sign_in(user.email.upper()).status_code == 200
    assert sign_in(user.email, PASSWORD.upper()).status_code == 401


def test_every_wrong_try_looks_alike(people: People, closed_account: User) -> None:
    therapist = people.therapist.user.email
    tries = [
        ("nobody@example.org", PASSWORD),
        (therapist, "wrong"),
        (closed_account.email, PASSWORD),
    ]
    answers = [sign_in(email, password) for email, password in tries]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "wrong_credentials"
    assert not AccessToken.objects.filter(user=closed_account).exists()


@pytest.mark.parametrize("known", [True, False])
def test_every_wrong_try_costs_one_hash(user: User, known: bool) -> None:
    """Otherwise the time of the answer would tell who has an account."""
    email = user.email if known else "nobody@example.org"
    hasher = "django.contrib.auth.hashers.Argon2PasswordHasher"
    with (
        patch(f"{hasher}.encode", autospec=True, side_effect=lambda *a, **k: "x") as encode,
        patch(f"{hasher}.verify", autospec=True, return_value=False) as verify,
    ):
        assert sign_in(email, "wrong").status_code == 401
    assert encode.call_count + verify.call_count == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@b.example"},
        {"email": "not an address", "password": "x"},
        {"email": "a@b.example", "password": ""},
        {"email": "a@b.example", "password": "x" * 201},
        {"email": "a" * 250 + "@b.example", "password": "x"},
        {"email": "a@b.example\x00", "password": "x"},
        {"email": "a@b.example", "password": "x\x00"},
        {"email": ["a@b.example"], "password": "x"},
        {"email": "a@b.example", "password": "x", "role": "administrator"},
        [],
        b"\xff\xfe",
        b"[" * 10_000,
    ],
    ids=str,
)
def test_a_malformed_body_is_refused(db: None, body: object) -> None:
    answer = Phone().post("/sign-in", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_an_enormous_body_is_refused(db: None) -> None:
    assert Phone().post("/sign-in", {"email": "a" * 70_000}).status_code == 413


def test_a_password_is_never_sent_back(db: None) -> None:
    secret = "canary-" * 40
    assert b"canary" not in sign_in("a@b.example", secret).content


# Limits -----------------------------------------------------------------------------------------


def test_an_account_is_closed_to_guessing(user: User) -> None:
    limit = rate_limits.SIGN_IN_BY_ACCOUNT.count
    tries = [sign_in(user.email, "wrong").status_code for _ in range(limit)]
    answer = sign_in(user.email)
    assert set(tries) == {401}
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert not AccessToken.objects.exists()


def test_another_account_is_not_closed_with_it(people: People, user: User) -> None:
    for _ in range(rate_limits.SIGN_IN_BY_ACCOUNT.count + 1):
        sign_in(user.email, "wrong")
    assert sign_in(people.therapist.user.email).status_code == 202


def test_the_limit_ends_with_its_window(user: User) -> None:
    now = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
    for _ in range(rate_limits.SIGN_IN_BY_ACCOUNT.count):
        rate_limits.spend(rate_limits.SIGN_IN_BY_ACCOUNT, user.email, now=now)
    with pytest.raises(errors.RateLimited) as refused:
        rate_limits.spend(rate_limits.SIGN_IN_BY_ACCOUNT, user.email, now=now)
    later = now + refused.value.retry_after
    rate_limits.spend(rate_limits.SIGN_IN_BY_ACCOUNT, user.email, now=later)
    assert refused.value.retry_after == timedelta(minutes=15)


def test_a_network_address_is_limited_over_all_accounts(db: None) -> None:
    small = rate_limits.Limit("sign_in_address", 3, timedelta(minutes=15))
    with patch.object(rate_limits, "SIGN_IN_BY_ADDRESS", small):
        statuses = [sign_in(f"n{n}@example.org", "wrong").status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_limits_stand_in_the_database_without_any_address(user: User) -> None:
    sign_in(user.email, "wrong")
    keys = list(RateCounter.objects.values_list("key", flat=True))
    assert len(keys) == 2
    assert not any(user.email in key or "127.0.0.1" in key for key in keys)


def test_a_flushed_broker_forgives_nobody(user: User) -> None:
    for _ in range(rate_limits.SIGN_IN_BY_ACCOUNT.count):
        sign_in(user.email, "wrong")
    if settings.BROKER_URL:
        Redis.from_url(settings.BROKER_URL).flushdb()
    assert sign_in(user.email).status_code == 429


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted"),
    [
        (0, "9.9.9.9", "127.0.0.1"),
        (1, "9.9.9.9", "9.9.9.9"),
        (1, "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (2, "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9"),
        (2, "9.9.9.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(
    db: None, settings: Settings, proxies: int, forwarded: str, counted: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    with patch.object(rate_limits, "spend", autospec=True) as spend:
        sign_in("a@b.example", **{"X-Forwarded-For": forwarded})
    assert counted in [call.args[1] for call in spend.call_args_list]


# Tokens -----------------------------------------------------------------------------------------


def test_only_the_hash_of_a_token_is_stored(user: User) -> None:
    token = sign_in(user.email).json()["token"]
    row = AccessToken.objects.get()
    assert bytes(row.token_hash) == hash_token(token)
    assert token.encode() not in bytes(row.token_hash)
    assert len(token) >= 43


def test_two_sign_ins_are_two_tokens(user: User) -> None:
    first, second = sign_in(user.email).json()["token"], sign_in(user.email).json()["token"]
    assert first != second
    assert Phone(token=first).get("/trends").status_code == 200


def test_a_revoked_token_fails_on_the_next_request(phone: Phone) -> None:
    assert phone.get("/trends").status_code == 200
    AccessToken.objects.update(revoked_at=timezone.now())
    assert phone.get("/trends").status_code == 401


def test_an_expired_token_fails(phone: Phone) -> None:
    AccessToken.objects.update(expires_at=timezone.now())
    assert phone.get("/trends").status_code == 401


def test_a_closed_account_fails_on_the_next_request(phone: Phone, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert phone.get("/trends").status_code == 401


def test_staff_sign_in_again_each_day_and_patients_twice_a_year(people: People) -> None:
    for user, life in (
        (people.patient_user, timedelta(days=180)),
        (people.therapist.user, timedelta(hours=12)),
        (people.administrator.user, timedelta(hours=12)),
    ):
        before = timezone.now()
        answer = sign_in(user.email) if user == people.patient_user else both_steps(user)
        expires_at = datetime.fromisoformat(answer.json()["expires_at"])
        assert abs(expires_at - before - life) < timedelta(minutes=1)


# Signing out ------------------------------------------------------------------------------------


def test_signing_out_ends_the_token_and_unbinds_the_phone(phone: Phone, user: User) -> None:
    device = make_device(user)
    AccessToken.objects.update(device=device)
    assert phone.post("/sign-out").status_code == 204
    device.refresh_from_db()
    assert device.unbound_at is not None
    assert device.unbound_reason == "signed_out"
    assert phone.get("/trends").status_code == 401
    assert AuditEvent.objects.filter(action="sign_out", actor_id=user.pk).exists()


def test_signing_out_leaves_other_phones_alone(phone: Phone, user: User) -> None:
    other, second = make_device(user), Phone.of(user)
    assert phone.post("/sign-out").status_code == 204
    other.refresh_from_db()
    assert other.unbound_at is None
    assert second.get("/trends").status_code == 200
    assert Device.objects.filter(unbound_at__isnull=True).count() == 1


def test_the_life_of_a_token_is_what_the_service_says() -> None:
    assert signing_in.TOKEN_LIFE > signing_in.STAFF_TOKEN_LIFE
