"""A one-time code and a date of birth make one account, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from backend import errors
from backend.accounts import rate_limits, services
from backend.accounts.actor import Actor
from backend.accounts.models import AccessToken, AuditEvent, EnrolmentCode, Patient, User
from backend.accounts.tokens import CODE_ALPHABET, hash_code, new_code
from tests.accounts.threads import at_once
from tests.contract.calls import Answer
from tests.people import People, make_patient
from tests.phones import Phone

BORN_ON = date(1990, 5, 17)
SYSTEM = Actor.system("test")


@pytest.fixture
def newcomer(people: People) -> Patient:
    """On the clinic's list and without an account."""
    return make_patient(people.organisation, "nora", user=None, enrolled_at=None)


@pytest.fixture
def code(newcomer: Patient) -> str:
    return issue(newcomer)


def issue(patient: Patient, now: datetime | None = None) -> str:
    issued = services.issue_enrolment_code(
        actor=SYSTEM, patient_id=patient.pk, now=now or timezone.now()
    )
    return issued.code


def enrol(code: str, **more: Any) -> Answer:
    body = {
        "code": code,
        "email": "nora@example.org",
        "password": "walking-by-the-sea",
        "born_on": BORN_ON.isoformat(),
    }
    return Phone().post("/enrol", {**body, **more})


def accounts() -> int:
    return User.objects.filter(email__startswith="nora@").count()


def test_the_code_and_the_date_of_birth_make_an_account(code: str, newcomer: Patient) -> None:
    answer = enrol(code, language="es")
    newcomer.refresh_from_db()
    assert answer.status_code == 201
    assert newcomer.user is not None and newcomer.enrolled_at is not None
    assert (newcomer.user.role, newcomer.user.language) == ("patient", "es")
    assert Phone(token=answer.json()["token"]).get("/trends").status_code == 200


def test_enrolling_is_audited_without_the_code(code: str, newcomer: Patient) -> None:
    enrol(code)
    event = AuditEvent.objects.get(action="patient.enrol")
    assert event.patient_id == newcomer.pk
    assert code not in str(list(AuditEvent.objects.values()))


def test_a_code_is_read_as_people_type_it(code: str) -> None:
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert enrol(typed).status_code == 201


def test_only_a_keyed_hash_of_the_code_is_stored(code: str) -> None:
    row = EnrolmentCode.objects.get()
    assert row.code_hash == hash_code(code)
    assert code.replace("-", "") not in row.code_hash.upper()


def test_codes_are_long_and_read_well() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(set(code.replace("-", "")) <= set(CODE_ALPHABET) for code in codes)
    assert not set("ILOU") & set(CODE_ALPHABET)


# Refusals ---------------------------------------------------------------------------------------


def used(code: str, _patient: Patient) -> None:
    enrol(code, email="someone-else@example.org")
    AccessToken.objects.all().delete()


def expired(_code: str, _patient: Patient) -> None:
    EnrolmentCode.objects.update(expires_at=timezone.now())


def withdrawn(_code: str, patient: Patient) -> None:
    issue(patient)


def other_birth_date(_code: str, patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(born_on=date(1990, 5, 18))


def unknown(_code: str, _patient: Patient) -> None:
    EnrolmentCode.objects.all().delete()


@pytest.mark.parametrize("spoil", [used, expired, withdrawn, other_birth_date, unknown])
def test_every_code_that_does_not_fit_looks_alike(code: str, newcomer: Patient, spoil: Any) -> None:
    spoil(code, newcomer)
    answer = enrol(code)
    body = {**answer.json(), "request_id": ""}
    unheard_of = {**enrol("0000-0000-0000").json(), "request_id": ""}
    assert answer.status_code == 404
    assert body == unheard_of
    assert body["code"] == "unknown_code"
    assert accounts() == 0


def test_a_code_lives_for_a_fortnight(newcomer: Patient) -> None:
    assert enrol(issue(newcomer, timezone.now() - timedelta(days=15))).status_code == 404
    assert enrol(issue(newcomer, timezone.now() - timedelta(days=13))).status_code == 201


@pytest.mark.parametrize(
    ("more", "pointer", "code_of_problem"),
    [
        ({"password": "short"}, "/password", "weak_password"),
        ({"password": "password123"}, "/password", "weak_password"),
        ({"password": "4815162342108"}, "/password", "weak_password"),
        ({"password": "nora@example"}, "/password", "weak_password"),
        ({"email": "no address"}, "/email", "invalid_value"),
        ({"born_on": "17.5.1990"}, "/born_on", "invalid_value"),
        ({"language": "xx"}, "/language", "invalid_value"),
    ],
    ids=str,
)
def test_a_refusal_names_the_field_and_keeps_the_code(
    code: str, more: dict[str, str], pointer: str, code_of_problem: str
) -> None:
    answer = enrol(code, **more)
    (problem,) = answer.json()["errors"]
    assert answer.status_code == 400
    assert (problem["pointer"], problem["code"]) == (pointer, code_of_problem)
    assert accounts() == 0
    assert enrol(code).status_code == 201


def test_minors_are_refused_and_leave_no_account(people: People) -> None:
    today = timezone.now().date()
    child = make_patient(people.organisation, "kim", user=None, enrolled_at=None, born_on=None)
    tomorrow_18 = date(today.year - 18, today.month, min(today.day, 28)) + timedelta(days=4)
    answer = enrol(issue(child), born_on=tomorrow_18.isoformat())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "adults_only"
    assert accounts() == 0


def test_who_turns_18_today_is_an_adult(people: People) -> None:
    patient = make_patient(people.organisation, "kim", born_on=date(2000, 2, 29))
    ages = [patient.age_on(date(2018, 2, day)) for day in (27, 28)] + [
        patient.age_on(date(2018, 3, 1))
    ]
    assert ages == [17, 17, 18]


def test_a_used_address_makes_no_second_account(code: str, people: People) -> None:
    taken = people.therapist.user.email
    answer = enrol(code, email=taken.upper())
    assert answer.status_code == 409
    assert answer.json()["code"] == "address_unavailable"
    assert User.objects.filter(email=taken).count() == 1
    assert enrol(code).status_code == 201


def test_an_address_that_grows_in_lower_case_is_refused(code: str) -> None:
    assert enrol(code, email="İ" * 240 + "@b.example").status_code == 409
    assert accounts() == 0


def test_a_found_code_cannot_be_guessed_open(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    many = rate_limits.Limit("enrol_address", 1000, timedelta(minutes=15))
    monkeypatch.setattr(rate_limits, "ENROL_BY_ADDRESS", many)
    count = rate_limits.ENROL_BY_CODE.count
    guesses = [enrol(code, born_on=f"1991-05-{n + 1:02}").status_code for n in range(count)]
    assert set(guesses) == {404}
    assert enrol(code).status_code == 429


def test_guessing_codes_is_limited_by_address(db: None) -> None:
    count = rate_limits.ENROL_BY_ADDRESS.count
    guesses = [enrol(new_code()).status_code for _ in range(count)]
    assert set(guesses) == {404}
    assert enrol(new_code()).status_code == 429


# Issuing ----------------------------------------------------------------------------------------


def test_the_therapist_issues_a_code(people: People) -> None:
    newcomer = people.patient
    Patient.objects.filter(pk=newcomer.pk).update(user=None)
    phone = Phone.of(people.therapist.user)
    answer: Answer = phone.post(f"/patients/{newcomer.pk}/enrolment-codes")
    assert answer.status_code == 201
    assert enrol(answer.json()["code"]).status_code == 201


def test_who_has_an_account_needs_no_code(people: People) -> None:
    phone = Phone.of(people.administrator.user)
    answer: Answer = phone.post(f"/patients/{people.patient.pk}/enrolment-codes")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_enrolled")
    assert not EnrolmentCode.objects.exists()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("administrator", 201),
        ("supervisor", 201),
        ("on_call", 201),
        ("stranger", 404),
        ("elsewhere_therapist", 404),
        ("patient", 403),
    ],
)
def test_who_may_issue_a_code(people: People, newcomer: Patient, who: str, status: int) -> None:
    phone = Phone.of(getattr(people, who).user)
    answer = phone.post(f"/patients/{newcomer.pk}/enrolment-codes")
    assert answer.status_code == status
    assert EnrolmentCode.objects.exists() == (status == 201)


# Races ------------------------------------------------------------------------------------------


def test_one_code_used_twenty_times_at_once(committed_db: None, code: str) -> None:
    limit = rate_limits.Limit("enrol", 1000, timedelta(minutes=15))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "ENROL_BY_ADDRESS", limit)
        patch.setattr(rate_limits, "ENROL_BY_CODE", limit)
        calls = [
            lambda n=n: enrol(code, email=f"nora@number-{n}.example").status_code for n in range(20)
        ]
        answers = at_once(calls)
    assert sorted(answers) == [201] + [404] * 19
    assert accounts() == AccessToken.objects.count() == 1


def test_issuing_while_enrolling(committed_db: None, newcomer: Patient, code: str) -> None:
    """Whoever comes second is refused; nobody waits for the other for ever."""
    calls = [lambda: enrol(code).status_code, lambda: _issue_or_refuse(newcomer)] * 5
    answers = at_once(calls)
    assert answers.count(201) <= 1
    assert set(answers) <= {200, 201, 404, 409}
    assert accounts() == answers.count(201)


def _issue_or_refuse(patient: Patient) -> int:
    try:
        issue(patient)
    except errors.Conflict:
        return 409
    return 200
