"""The organisation's ladder on a page: what stands, what stood, and the form that changes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from backend.accounts.actor import Role
from backend.accounts.models import Administrator, AuditEvent, Clinician, ClinicianRole
from backend.aftercare.models import EscalationLadder
from tests.dashboard.browsing import browser_of, shown
from tests.people import People, make_clinician, make_user

PATH, CHANGE = "/administrator/ladder", "/administrator/ladder/change"
REVIEW_ON = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()


@pytest.fixture
def office(people: People) -> Client:
    return browser_of(people.administrator.user)


Rung = tuple[str, str, str]
USUAL: tuple[Rung, ...] = (("care_team", "10", "120"), ("clinical_supervisor", "10", "120"))


def form(*rungs: Rung, **items: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"rungs": str(len(rungs or USUAL)), "base_version": "0"}
    for index, (who, critical, high) in enumerate(rungs or USUAL):
        sent |= {f"who-{index}": who, f"critical-{index}": critical, f"high-{index}": high}
    decided = {"reason": "Nights are short.", "decided_by": "Ada", "review_on": REVIEW_ON}
    return {**sent, **decided, "change": "save", **items}


def page(browser: Client, path: str = PATH) -> str:
    response = browser.get(path)
    assert response.status_code == 200
    return " ".join(unescape(shown(response)).split())


def problem_of(answer: Any, field: str) -> str:
    text = unescape(shown(answer))
    return text.partition(f'id="{field}">')[2].partition("</span>")[0]


def versions() -> list[tuple[int, str]]:
    return list(EscalationLadder.objects.order_by("version").values_list("version", "reason"))


# What stands --------------------------------------------------------------------------------------


def test_the_standard_ladder_says_who_and_after_how_long(people: People, office: Client) -> None:
    text = page(office)
    assert "The standard ladder: nobody has chosen another one" in text
    assert "The patient's care team" in text
    assert 'A clinical supervisor <span class="rung-people">Sam</span>' in text
    assert "told after 10 min; silent for 10 min, and the next rung is told" in text
    assert "told after 2 h; silent for 2 h" in text
    assert "None yet." in text


def test_a_rung_that_nobody_stands_on_is_told_in_words(people: People, office: Client) -> None:
    Clinician.objects.filter(pk=people.supervisor.pk).update(roles=["therapist"])
    assert "Nobody stands on this rung now: it is passed over." in page(office)


def test_every_version_stays_with_its_reason_and_who_decided(office: Client) -> None:
    office.post(CHANGE, form())
    office.post(CHANGE, form(*USUAL, base_version="1", reason="One is enough.", decided_by="Bea"))
    text = page(office)
    assert "Version 2, for alerts that open now" in text
    earlier = text.partition('id="earlier"')[2]
    assert "Version 1" in earlier and "Nights are short." in earlier and "Ada" in earlier
    assert "One is enough." not in earlier


def test_a_ladder_that_was_to_be_looked_at_says_so(people: People, office: Client) -> None:
    office.post(CHANGE, form())
    assert "It is looked at again on" in page(office)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91)):
        assert "It was to be looked at again on" in page(browser_of(people.administrator.user))


# Changing it --------------------------------------------------------------------------------------


def test_a_version_is_stored_once_however_often_it_is_sent(people: People, office: Client) -> None:
    sent = form(**{"channels-0": ["push", "sms"]})
    for _ in range(2):
        answer = office.post(CHANGE, sent)
        assert (answer.status_code, answer["Location"]) == (302, PATH)
    row = EscalationLadder.objects.get()
    assert (row.version, row.changed_by_id) == (1, people.administrator.user_id)
    assert [(one["who"], one["ways"]) for one in row.rungs] == [
        ("care_team", ["push", "sms"]),
        ("clinical_supervisor", []),
    ]
    assert row.rungs[0]["silent"] == {"critical": 10, "high": 120}
    assert AuditEvent.objects.filter(action="organisation.set_ladder").count() == 1
    assert "by push, SMS" in page(office)


def test_named_people_are_kept_where_the_rung_names_them_alone(
    people: People, office: Client
) -> None:
    ned = make_clinician(people.organisation, "ned", ClinicianRole.ON_CALL)
    rungs: tuple[Rung, ...] = (("named", "10", "60"), ("clinical_supervisor", "10", "120"))
    named = {"named-0": [str(ned.pk)], "named-1": [str(ned.pk)]}
    assert office.post(CHANGE, form(*rungs, **named)).status_code == 302
    (first, last) = EscalationLadder.objects.get().rungs
    assert (first["user_ids"], last["user_ids"]) == ([str(ned.user_id)], [])
    assert "checked" in page(office, CHANGE).partition(str(ned.pk))[2][:12]


def test_a_version_of_before_is_not_written_over_and_nothing_is_lost(
    people: People, office: Client
) -> None:
    other = Administrator.objects.create(
        user=make_user("abby", Role.ADMINISTRATOR), organisation=people.organisation
    )
    browser_of(other.user).post(CHANGE, form(reason="First."))
    mine = form(("therapist", "5", "30"), *USUAL, reason="Mine.", **{"channels-0": ["sms"]})
    answer = office.post(CHANGE, mine)
    text = unescape(shown(answer))
    assert answer.status_code == 409
    assert versions() == [(1, "First.")]
    assert "What you wrote is still here." in text and "What stands now: version 1" in text
    assert ">Mine.</textarea>" in text and 'name="critical-0"' in text and 'value="5"' in text
    assert 'name="base_version" value="1"' in text
    assert office.post(CHANGE, {**mine, "base_version": "1"}).status_code == 302
    assert versions() == [(1, "First."), (2, "Mine.")]


@pytest.mark.parametrize(
    ("rungs", "field", "words"),
    [
        ((("care_team", "10", "120"),), "who-problem-0", "The last rung is a clinical supervisor."),
        (
            (("clinical_supervisor", "10", "120"), ("on_call", "10", "120")),
            "who-problem-1",
            "The last rung is a clinical supervisor.",
        ),
        ((("friend", "10", "120"), *USUAL), "who-problem-0", "Please say who."),
        ((("on_call", "90", "120"), *USUAL), "critical-problem-0", "This is too short or too long"),
        ((("on_call", "10", "5"), *USUAL), "high-problem-0", "This is too short or too long"),
        ((("on_call", "", "120"), *USUAL), "critical-problem-0", "Please write a number"),
        ((("on_call", "10", "-1"), *USUAL), "high-problem-0", "Please write a number"),
        ((("on_call", "1e1", "120"), *USUAL), "critical-problem-0", "Please write a number"),
        ((("named", "10", "120"), *USUAL), "named-problem-0", "A rung of named people names them"),
    ],
)
def test_what_cannot_be_used_is_said_beside_its_field_and_kept(
    office: Client, rungs: tuple[Rung, ...], field: str, words: str
) -> None:
    answer = office.post(CHANGE, form(*rungs))
    assert answer.status_code == 400
    assert words in problem_of(answer, field)
    assert f"{field}" in shown(answer).partition("aria-describedby")[2]
    assert ">Nights are short.</textarea>" in shown(answer)
    assert versions() == []


def test_everything_that_is_wrong_is_said_at_once(office: Client) -> None:
    sent = form(("care_team", "90", "120"), reason=" ", decided_by="", review_on="soon")
    answer = office.post(CHANGE, sent)
    assert "Please fill this in." in problem_of(answer, "reason-problem")
    assert "Please fill this in." in problem_of(answer, "decided-problem")
    assert "Please choose a day." in problem_of(answer, "review-problem")
    assert "too short or too long" in problem_of(answer, "critical-problem-0")
    assert "clinical supervisor" in problem_of(answer, "who-problem-0")


def test_e_mail_alone_and_people_who_may_not_see_patients_are_refused(
    people: People, office: Client
) -> None:
    answer = office.post(CHANGE, form(**{"channels-0": ["email"]}))
    assert "E-mail alone wakes nobody" in problem_of(answer, "channels-problem-0")
    rungs: tuple[Rung, ...] = (("named", "10", "60"), ("clinical_supervisor", "10", "120"))
    for clinician in (people.therapist, people.elsewhere_therapist):
        answer = office.post(CHANGE, form(*rungs, **{"named-0": [str(clinician.pk)]}))
        assert answer.status_code == 400
        assert problem_of(answer, "named-problem-0")
    assert versions() == []


def test_a_day_of_review_is_to_come_and_within_a_year(office: Client) -> None:
    for on in ("2020-01-01", "2199-01-01"):
        answer = office.post(CHANGE, form(review_on=on))
        assert answer.status_code == 400
        assert problem_of(answer, "review-problem")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("add", ["care_team", "on_call", "clinical_supervisor"]),
        ("remove-0", ["clinical_supervisor"]),
        ("down-0", ["clinical_supervisor", "care_team"]),
        ("up-1", ["clinical_supervisor", "care_team"]),
        ("up-0", ["care_team", "clinical_supervisor"]),
        ("remove-9", ["care_team", "clinical_supervisor"]),
        ("remove-\u00b2", ["care_team", "clinical_supervisor"]),
        ("anything", ["care_team", "clinical_supervisor"]),
    ],
)
def test_rungs_come_and_go_without_anything_being_stored_or_lost(
    office: Client, change: str, expected: list[str]
) -> None:
    answer = office.post(CHANGE, form(change=change, reason="Half writ"))
    text = unescape(shown(answer))
    assert answer.status_code == 200
    chosen = [
        part.partition('"')[0]
        for part in text.split('<option value="')
        if '" selected' in part[:40]
    ]
    assert chosen == expected
    assert ">Half writ</textarea>" in text
    assert versions() == []


@pytest.mark.parametrize("items", [{"rungs": "x"}, {"base_version": ""}, {"rungs": None}])
def test_a_form_that_is_not_one_of_ours_is_refused(office: Client, items: dict[str, Any]) -> None:
    sent = {name: value for name, value in form(**items).items() if value is not None}
    assert office.post(CHANGE, sent).status_code == 400
    assert versions() == []


@pytest.mark.parametrize(("count", "status"), [("0", 400), ("-3", 400), ("99999999999", 400)])
def test_a_number_of_rungs_that_cannot_be_breaks_nothing(
    office: Client, count: str, status: int
) -> None:
    assert office.post(CHANGE, form(rungs=count)).status_code == status
    assert versions() == []


# Who may ------------------------------------------------------------------------------------------


def test_nobody_else_changes_or_sees_it(people: People) -> None:
    users = (people.therapist.user, people.supervisor.user, people.patient_user)
    for user in (*users, make_user("oli", Role.OPERATOR)):
        browser = browser_of(user)
        for path in (PATH, CHANGE):
            assert browser.get(path)["Location"].startswith("/desk/sign-in")
        assert browser.post(CHANGE, form())["Location"].startswith("/desk/sign-in")
    assert versions() == []


def test_another_organisations_ladder_stays_its_own(people: People, office: Client) -> None:
    elsewhere = Administrator.objects.create(
        user=make_user("abe", Role.ADMINISTRATOR),
        organisation=people.elsewhere_patient.organisation,
    )
    browser_of(elsewhere.user).post(CHANGE, form(reason="Theirs."))
    assert "Theirs." not in page(office)
    assert office.post(CHANGE, form(reason="Ours.")).status_code == 302
    assert EscalationLadder.objects.filter(organisation=people.organisation).count() == 1
    assert "Ours." not in page(browser_of(elsewhere.user))


def test_a_form_without_its_token_is_refused(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = browser_of(people.administrator.user).cookies
    assert browser.post(CHANGE, form()).status_code == 403
    assert versions() == []
