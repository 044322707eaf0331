"""Staff get a token for two steps and never for one; a code works once; guessing ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from unittest.mock import patch

import pytest
import time_machine
from cryptography.exceptions import InvalidTag
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from backend.accounts import rate_limits, totp
from backend.accounts.actor import Role
from backend.accounts.models import (
    AccessToken,
    AuditEvent,
    MfaChallenge,
    RecoveryCode,
    SecondFactor,
    User,
)
from tests.accounts.threads import at_once
from tests.contract.calls import Answer
from tests.people import PASSWORD, People, enrol_app, make_people, make_user, next_code, secret_of
from tests.phones import Phone

NOW = datetime(2026, 3, 2, 15, 0, 10, tzinfo=UTC)


def first_step(user: User) -> str:
    answer = Phone().post("/sign-in", {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 202, answer.content
    return str(answer.json()["mfa_token"])


def step(mfa_token: str, code: str) -> Answer:
    return Phone().post("/sign-in/mfa", {"mfa_token": mfa_token, "code": code})


def codes_of_first_sign_in(user: User) -> list[str]:
    token = first_step(user)
    secret = Phone().post("/sign-in/mfa/enrolment", {"mfa_token": token}).json()["secret"]
    code = totp.code_at(secret, step=totp.step_at(timezone.now()))
    return list(step(token, code).json()["recovery_codes"])


def problem(answer: Answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def denials(user: User) -> int:
    rows = AuditEvent.objects.using("audit").filter(actor_id=user.pk, was_allowed=False)
    return rows.filter(action="mfa.pass").count()


@pytest.fixture
def user(people: People) -> User:
    """A therapist with an authenticator app."""
    enrol_app(people.therapist.user)
    return people.therapist.user


@pytest.fixture
def newcomer(people: People) -> User:
    """A therapist who never signed in."""
    return people.stranger.user


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR])
def test_the_password_alone_opens_nothing_for_staff(db: None, role: Role) -> None:
    user = make_user("sue", role)
    enrol_app(user)
    token = first_step(user)
    assert not AccessToken.objects.exists()
    assert Phone(token=token).get("/devices").status_code == 401
    answer = step(token, next_code(user))
    assert answer.status_code == 200
    assert Phone(token=answer.json()["token"]).get("/devices").status_code == 200
    assert answer.json()["recovery_codes"] == []


def test_patients_have_no_second_step(people: People) -> None:
    answer = Phone().post("/sign-in", {"email": people.patient_user.email, "password": PASSWORD})
    assert (answer.status_code, "token" in answer.json()) == (200, True)
    assert not MfaChallenge.objects.exists()


def test_the_answer_says_who_sets_up_an_app_first(user: User, newcomer: User) -> None:
    told = {}
    for someone in (user, newcomer):
        body = {"email": someone.email, "password": PASSWORD}
        told[someone] = Phone().post("/sign-in", body).json()["is_enrolled"]
    assert told == {user: True, newcomer: False}


def test_the_first_sign_in_sets_up_an_app_and_shows_recovery_codes_once(newcomer: User) -> None:
    token = first_step(newcomer)
    shown = Phone().post("/sign-in/mfa/enrolment", {"mfa_token": token}).json()
    assert shown["otpauth_uri"].startswith("otpauth://totp/Handrail:")
    assert f"secret={shown['secret']}" in shown["otpauth_uri"]
    again = Phone().post("/sign-in/mfa/enrolment", {"mfa_token": token}).json()
    assert again == shown
    answer = step(token, totp.code_at(shown["secret"], step=totp.step_at(timezone.now())))
    codes = answer.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert RecoveryCode.objects.filter(user=newcomer, used_at__isnull=True).count() == 10
    assert not RecoveryCode.objects.filter(code_hash__in=codes).exists()
    assert AuditEvent.objects.filter(action="mfa.enrol", actor_id=newcomer.pk).exists()


def test_an_app_is_set_up_once(user: User, newcomer: User) -> None:
    answer = Phone().post("/sign-in/mfa/enrolment", {"mfa_token": first_step(user)})
    assert problem(answer) == (409, "mfa_enrolled")
    early, late = first_step(newcomer), first_step(newcomer)
    for token in (early, late):
        Phone().post("/sign-in/mfa/enrolment", {"mfa_token": token})
    sealed = bytes(MfaChallenge.objects.filter(user=newcomer).earliest("expires_at").sealed_secret)
    secret = totp.unseal(sealed, user_id=newcomer.pk)
    code = totp.code_at(secret, step=totp.step_at(timezone.now()))
    assert step(early, code).status_code == 200
    assert problem(step(late, code)) == (401, "wrong_code")
    assert SecondFactor.objects.filter(user=newcomer).count() == 1


def test_without_an_app_no_code_is_right(newcomer: User) -> None:
    assert problem(step(first_step(newcomer), "000000")) == (401, "wrong_code")
    assert not AccessToken.objects.exists()
    assert not SecondFactor.objects.filter(user=newcomer).exists()


def test_a_code_works_once(user: User) -> None:
    code = next_code(user)
    assert step(first_step(user), code).status_code == 200
    assert problem(step(first_step(user), code)) == (401, "wrong_code")
    assert denials(user) == 1


def test_an_older_code_ends_with_a_newer_one(user: User) -> None:
    with time_machine.travel(NOW, tick=False):
        now = totp.step_at(NOW)
        assert (
            step(first_step(user), totp.code_at(secret_of(user), step=now + 1)).status_code == 200
        )
        for older in (now, now - 1):
            answer = step(first_step(user), totp.code_at(secret_of(user), step=older))
            assert problem(answer) == (401, "wrong_code")


@pytest.mark.parametrize(("late", "works"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(user: User, late: int, works: bool) -> None:
    code = totp.code_at(secret_of(user), step=totp.step_at(NOW))
    with time_machine.travel(NOW + timedelta(seconds=late), tick=False):
        assert (step(first_step(user), code).status_code == 200) is works


def test_the_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for at, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code_at(secret, step=at // 30) == code


def test_a_challenge_is_passed_once(user: User) -> None:
    token = first_step(user)
    assert step(token, next_code(user)).status_code == 200
    assert problem(step(token, next_code(user))) == (401, "mfa_expired")


def test_a_wrong_code_leaves_the_challenge_open(user: User) -> None:
    token = first_step(user)
    assert problem(step(token, "000000")) == (401, "wrong_code")
    assert step(token, next_code(user)).status_code == 200


def test_a_challenge_ends_after_a_quarter_of_an_hour(user: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        token = first_step(user)
        clock.shift(MfaChallenge.LIFE)
        assert problem(step(token, next_code(user))) == (401, "mfa_expired")


def test_another_password_ends_every_open_challenge(user: User) -> None:
    token = first_step(user)
    user.set_password("another-long-walk")
    user.save()
    assert problem(step(token, next_code(user))) == (401, "mfa_expired")


def test_a_closed_account_passes_no_second_step(user: User) -> None:
    token = first_step(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert problem(step(token, next_code(user))) == (401, "mfa_expired")


def test_somebody_elses_code_is_wrong(user: User, newcomer: User) -> None:
    enrol_app(newcomer)
    assert problem(step(first_step(user), next_code(newcomer))) == (401, "wrong_code")


def test_a_recovery_code_opens_once_however_it_is_typed(newcomer: User) -> None:
    first, second, *_rest = codes_of_first_sign_in(newcomer)
    typed = first.lower().replace("-", " ")
    assert step(first_step(newcomer), typed).status_code == 200
    assert problem(step(first_step(newcomer), first)) == (401, "wrong_code")
    assert step(first_step(newcomer), second).status_code == 200
    assert RecoveryCode.objects.filter(user=newcomer, used_at__isnull=True).count() == 8
    by = [row.facts["by"] for row in AuditEvent.objects.filter(action="mfa.pass")]
    assert by == ["recovery_code", "recovery_code"]


def test_a_recovery_code_of_somebody_else_is_wrong(user: User, newcomer: User) -> None:
    codes = codes_of_first_sign_in(newcomer)
    assert problem(step(first_step(user), codes[0])) == (401, "wrong_code")


def test_new_recovery_codes_need_the_app_and_end_the_old(newcomer: User) -> None:
    old = codes_of_first_sign_in(newcomer)
    phone = Phone.of(newcomer)
    refused = phone.post("/mfa/recovery-codes", {"code": "000000"})
    assert problem(refused) == (400, "invalid_body")
    assert refused.json()["errors"][0]["code"] == "wrong_code"
    new = phone.post("/mfa/recovery-codes", {"code": old[0]}).json()["recovery_codes"]
    assert len(new) == 10
    assert set(new).isdisjoint(old)
    assert problem(step(first_step(newcomer), old[1])) == (401, "wrong_code")
    assert step(first_step(newcomer), new[0]).status_code == 200


# Limits -----------------------------------------------------------------------------------------


def test_guessing_codes_ends_whatever_challenge_is_used(user: User) -> None:
    tokens = [first_step(user) for _ in range(2)]
    tries = [step(tokens[n % 2], "000000").status_code for n in range(10)]
    answer = step(tokens[0], next_code(user))
    assert set(tries) == {401}
    assert problem(answer) == (429, "rate_limited")
    assert int(answer["Retry-After"]) > 0
    assert not AccessToken.objects.exists()


def test_a_day_of_guessing_ends_too(user: User) -> None:
    few = rate_limits.Limit("mfa_account_day", 3, timedelta(days=1))
    token = first_step(user)
    with patch.object(rate_limits, "MFA_BY_ACCOUNT_A_DAY", few):
        statuses = [step(token, "000000").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_guessing_tokens_is_limited_by_address(db: None) -> None:
    few = rate_limits.Limit("mfa_address", 3, timedelta(minutes=15))
    with patch.object(rate_limits, "MFA_BY_ADDRESS", few):
        statuses = [step(f"token-{n}", "000000").status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_of_twenty_who_send_one_code_one_gets_in(committed_db: None) -> None:
    people = make_people()
    user = people.therapist.user
    enrol_app(user)
    wide = rate_limits.Limit("mfa_account", 100, timedelta(minutes=15))
    with patch.object(rate_limits, "SIGN_IN_BY_ACCOUNT", wide):
        tokens = [first_step(user) for _ in range(20)]
    code = next_code(user)
    with patch.object(rate_limits, "MFA_BY_ACCOUNT", wide):
        answers = at_once([partial(step, token, code) for token in tokens])
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 19]
    assert AccessToken.objects.count() == 1


# What is kept -----------------------------------------------------------------------------------


def test_keys_are_sealed_for_one_account(user: User, newcomer: User) -> None:
    sealed = bytes(SecondFactor.objects.get().sealed_secret)
    assert secret_of(user).encode() not in sealed
    assert totp.unseal(sealed, user_id=user.pk) == secret_of(user)
    with pytest.raises(InvalidTag):
        totp.unseal(sealed, user_id=newcomer.pk)


def test_an_earlier_key_of_the_server_still_opens(user: User, settings: Settings) -> None:
    sealed = totp.seal("ABCDEFGH", user_id=user.pk)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert totp.unseal(sealed, user_id=user.pk) == "ABCDEFGH"


def test_a_key_that_cannot_be_opened_lets_nobody_in(user: User, settings: Settings) -> None:
    code, settings.SECRET_KEY = next_code(user), "another" * 10
    assert problem(step(first_step(user), code)) == (401, "wrong_code")


def test_nothing_secret_stands_in_the_audit_log(newcomer: User) -> None:
    codes = codes_of_first_sign_in(newcomer)
    written = str([row.__dict__ for row in AuditEvent.objects.all()])
    assert not any(code in written for code in codes)
    assert PASSWORD not in written


def test_challenges_that_ended_are_forgotten(user: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(3):
            first_step(user)
            clock.shift(MfaChallenge.LIFE)
    assert MfaChallenge.objects.count() == 1


def test_who_lost_everything_sets_up_an_app_again(user: User) -> None:
    phone = Phone.of(user)
    call_command("remove_mfa", email=user.email.upper())
    assert phone.get("/devices").status_code == 401
    assert len(codes_of_first_sign_in(user)) == 10
    assert AuditEvent.objects.filter(action="mfa.remove", actor_name="remove_mfa").exists()
    with pytest.raises(CommandError, match="No account"):
        call_command("remove_mfa", email="nobody@example.org")


def test_the_code_may_come_with_the_password(user: User) -> None:
    said = {"email": user.email, "password": PASSWORD, "code": next_code(user)}
    answer = Phone().post("/sign-in", said)
    assert answer.status_code == 200, answer.content
    assert Phone(token=answer.json()["token"]).get("/devices").status_code == 200
    # The same code again, and a right code with a wrong password, open nothing.
    assert problem(Phone().post("/sign-in", said)) == (401, "wrong_code")
    guessed = {**said, "password": "not it, not it", "code": next_code(user)}
    assert problem(Phone().post("/sign-in", guessed)) == (401, "wrong_credentials")


def test_a_code_sent_along_by_who_has_no_app_changes_nothing(newcomer: User) -> None:
    said = {"email": newcomer.email, "password": PASSWORD, "code": "123456"}
    assert Phone().post("/sign-in", said).status_code == 202
