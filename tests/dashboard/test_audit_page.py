"""Who saw this patient between two days: the page of the organisation's administrators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Administrator, AuditEvent, Patient
from backend.dashboard.views.audit import MOST_FOUND, PAGE_SIZE
from tests.dashboard.browsing import browser_of, raise_alert, shown, sign_in
from tests.people import People, actor_for, make_patient, make_user

# Eleven in the morning in New York, where Riverside is.
NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
ROW = re.compile(r"<td role=\"cell\"><time(.+?)</tr>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


@pytest.fixture
def office(people: People) -> Client:
    """The organisation's administrator, signed in."""
    return browser_of(people.administrator.user)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def path_of(patient: Patient, query: str = "") -> str:
    return f"/administrator/patients/{patient.pk}/audit{query}"


def page_of(office: Client, patient: Patient, query: str = "") -> str:
    response = office.get(path_of(patient, query))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return unescape(shown(response))


def rows_of(page: str) -> list[str]:
    """Each row's words."""
    return [" ".join(TAG.sub(" ", f"<{found}").split()) for found in ROW.findall(page)]


def act(patient: Patient, *, by: Actor, at: datetime, action: str = "patient.read") -> None:
    with time_machine.travel(at, tick=False):
        audit.record(actor=by, action=action, patient_id=patient.pk)


def bob(people: People) -> Actor:
    return actor_for(people.therapist.user)


# The list ----------------------------------------------------------------------------------------


def test_who_when_and_what_the_newest_first(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    act(people.patient, by=bob(people), at=NOW - timedelta(hours=3))
    act(people.patient, by=bob(people), at=NOW - timedelta(hours=2), action="alert.resolved")
    act(people.other_patient, by=bob(people), at=NOW)
    assert rows_of(page_of(office, people.patient)) == [
        "March 2, 2026, 9 a.m. Bob Clinician Changed something in the record. Allowed",
        "March 2, 2026, 8 a.m. Bob Clinician Opened the record. Allowed",
    ]


def test_who_was_refused_is_on_it(committed_db: None, people: People) -> None:
    office = browser_of(people.administrator.user)
    refused = browser_of(people.stranger.user).get(f"/desk/patients/{people.patient.pk}")
    assert refused.status_code == 404
    page = page_of(office, people.patient)
    (row,) = rows_of(page)
    assert "Charlie Clinician Tried to open the record and was refused. Refused" in row
    assert 'class="refused"' in page


def test_acts_of_the_patient_and_of_the_system_are_not_on_it_and_nothing_clinical(
    people: People, office: Client
) -> None:
    raise_alert(people.patient)
    assert browser_of(people.therapist.user).get(f"/desk/patients/{people.patient.pk}").content
    roles = set(AuditEvent.objects.filter(patient_id=people.patient.pk).values_list("actor_role"))
    assert {(Role.PATIENT,), (Role.CLINICIAN,)} <= roles
    page = page_of(office, people.patient)
    assert len(rows_of(page)) == 1
    content = page[page.index("<main") :]
    for word in ("raving", "ood", "lert", "check-in", "rend", "caseload"):
        assert word not in content


def test_reading_it_leaves_a_row_that_the_next_reading_shows(
    people: People, office: Client
) -> None:
    assert rows_of(page_of(office, people.patient)) == []
    found = AuditEvent.objects.filter(action="audit.read", patient_id=people.patient.pk)
    assert [row.actor_id for row in found] == [people.administrator.user.pk]
    (row,) = rows_of(page_of(office, people.patient))
    assert f"{people.administrator.user.email} Administrator Opened the record. Allowed" in row


def test_each_reading_and_its_row_stand_or_fall_together(people: People, office: Client) -> None:
    browser = Client(raise_request_exception=False)
    browser.cookies = office.cookies
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.dashboard.views.audit.show_act", lambda *_: 1 // 0)
        act(people.patient, by=bob(people), at=timezone.now())
        assert browser.get(path_of(people.patient)).status_code == 500
    assert not AuditEvent.objects.filter(action="audit.read").exists()


# The days ----------------------------------------------------------------------------------------


def test_a_day_begins_and_ends_at_midnight_where_the_organisation_is(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    # Alice lives three hours west of her clinic: whose days they are makes a difference.
    Patient.objects.filter(pk=people.patient.pk).update(time_zone="America/Los_Angeles")
    edges = {
        "before": datetime(2026, 2, 10, 4, 59, 59, tzinfo=UTC),
        "first": datetime(2026, 2, 10, 5, 0, tzinfo=UTC),
        "last": datetime(2026, 2, 12, 4, 59, 59, tzinfo=UTC),
        "after": datetime(2026, 2, 12, 5, 0, tzinfo=UTC),
    }
    for moment in edges.values():
        act(people.patient, by=bob(people), at=moment)
    page = page_of(office, people.patient, "?from=2026-02-10&to=2026-02-11")
    assert [row.split(" Bob")[0] for row in rows_of(page)] == [
        "Feb. 11, 2026, 11:59 p.m.",
        "Feb. 10, 2026, midnight",
    ]
    assert "America/New_York" in page


def test_the_day_on_which_the_clocks_change_has_23_hours(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    clock.move_to(datetime(2026, 3, 20, 16, 0, tzinfo=UTC))
    browser = browser_of(people.administrator.user)
    for hour in (4, 5):
        act(people.patient, by=bob(people), at=datetime(2026, 3, 8, hour, 30, tzinfo=UTC))
        act(people.patient, by=bob(people), at=datetime(2026, 3, 9, hour - 1, 30, tzinfo=UTC))
    page = page_of(browser, people.patient, "?from=2026-03-08&to=2026-03-08")
    assert [row.split(" Bob")[0] for row in rows_of(page)] == [
        "March 8, 2026, 11:30 p.m.",
        "March 8, 2026, 12:30 a.m.",
    ]


def test_without_days_it_shows_the_last_thirty(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    act(people.patient, by=bob(people), at=datetime(2026, 2, 1, 4, 59, tzinfo=UTC))
    act(people.patient, by=bob(people), at=datetime(2026, 2, 1, 5, 0, tzinfo=UTC))
    page = page_of(office, people.patient)
    assert len(rows_of(page)) == 1
    assert 'value="2026-02-01"' in page
    assert 'value="2026-03-02"' in page


@pytest.mark.parametrize(
    "query", ["?from=2026-03-02&to=2026-03-01", "?from=x", "?to=2026-02-30", "?from=2026-03-01%00"]
)
def test_days_that_cannot_be_are_told_kindly_and_show_nobody(
    people: People, office: Client, query: str
) -> None:
    act(people.patient, by=bob(people), at=timezone.now())
    response = office.get(path_of(people.patient, query))
    assert response.status_code == 400
    assert "Please choose a first day that is not after the last." in shown(response)
    assert people.patient.given_name not in shown(response)
    assert not AuditEvent.objects.filter(action="audit.read").exists()


@pytest.mark.parametrize(
    "query", ["?from=0001-01-01&to=9999-12-31", "?to=0001-01-02", "?from=9999-12-31"]
)
def test_the_calendars_ends_break_nothing(people: People, office: Client, query: str) -> None:
    assert office.get(path_of(people.patient, query)).status_code == 200


# Pages -------------------------------------------------------------------------------------------


def test_a_long_list_comes_in_pages_without_a_gap_or_a_double(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    moments = [NOW - timedelta(minutes=n // 3) for n in range(2 * PAGE_SIZE + 5)]
    for moment in moments:
        act(people.patient, by=bob(people), at=moment)
    ids, query, counts = [], "", []
    while True:
        page = page_of(office, people.patient, query)
        counts.append(len([row for row in rows_of(page) if " Bob " in row]))
        ids += re.findall(r'<time datetime="([^"]+)"', page)
        link = re.search(r'<a href="(\?[^"]+)" rel="next"', page)
        if link is None:
            break
        query = link[1]
        assert "cursor=" in query
        assert "from=2026-02-01" in query
    assert sum(counts) == len(moments)
    assert counts[0] == PAGE_SIZE
    assert ids == sorted(ids, reverse=True)
    assert "Back to the newest" in page


@pytest.mark.parametrize("cursor", ["x", "WyJub3ciLCIxIl0", "%00", "9" * 500])
def test_a_page_marker_of_somebody_elses_is_refused(
    people: People, office: Client, cursor: str
) -> None:
    response = office.get(path_of(people.patient, f"?cursor={cursor}"))
    assert response.status_code == 400
    assert people.patient.given_name not in shown(response)


# Who may -----------------------------------------------------------------------------------------


def test_another_organisations_patient_is_not_there(people: People, office: Client) -> None:
    response = office.get(path_of(people.elsewhere_patient))
    assert response.status_code == 404
    assert people.elsewhere_patient.given_name not in shown(response)
    assert "Choose another person" in shown(response)
    assert not AuditEvent.objects.filter(action="audit.read").exists()
    denied = AuditEvent.objects.using("audit").filter(patient_id=people.elsewhere_patient.pk)
    assert list(denied.values_list("actor_id", "was_allowed")) == [
        (people.administrator.user.pk, False)
    ]


def test_nobody_else_sees_it(people: People) -> None:
    users = (people.therapist.user, people.supervisor.user, people.patient_user)
    for user in (*users, make_user("oli", Role.OPERATOR)):
        for path in (path_of(people.patient), "/administrator/"):
            response = browser_of(user).get(path)
            assert response["Location"].startswith("/desk/sign-in")
            assert people.patient.given_name not in shown(response)
        posted = browser_of(user).post("/administrator/", {"wanted": "alice"})
        assert posted["Location"].startswith("/desk/sign-in")
    assert Client().get("/administrator/")["Location"].startswith("/desk/sign-in")
    assert not AuditEvent.objects.filter(action__in=["audit.read", "patients.read"]).exists()


def test_an_account_that_administers_nothing_is_refused(people: People) -> None:
    browser = browser_of(make_user("zoe", Role.ADMINISTRATOR))
    assert browser.get("/administrator/").status_code == 403
    response = browser.get(path_of(people.patient))
    assert response.status_code == 403
    assert people.patient.given_name not in shown(response)


def test_an_administrator_signs_in_and_is_led_there(people: People) -> None:
    browser = Client()
    answer = sign_in(browser, people.administrator.user.email)
    followed = browser.get(answer["Location"], follow=True)
    assert followed.redirect_chain[-1][0] == "/administrator/"
    assert "Who saw this patient?" in shown(followed)
    assert browser.get("/desk/")["Location"].startswith("/desk/sign-in")
    assert browser.get("/administrator/").status_code == 200
    assert browser.post("/desk/sign-out").status_code == 302
    assert browser.get("/administrator/").status_code == 302


@pytest.mark.parametrize("who", ["therapist", "administrator"])
def test_whoever_wants_a_page_of_others_is_led_to_their_own_and_in_no_circle(
    people: People, who: str
) -> None:
    browser = browser_of(getattr(people, who).user)
    home = {"therapist": "/desk/", "administrator": "/administrator/"}[who]
    for path in ("/administrator/", "/operator/", "/desk/"):
        followed = browser.get(path, follow=True)
        assert followed.status_code == 200
        assert followed.request["PATH_INFO"] == home


def test_a_rested_session_ends(
    people: People, clock: time_machine.Traveller, office: Client
) -> None:
    clock.shift(timedelta(minutes=16))
    assert "rested=1" in office.get("/administrator/")["Location"]
    assert "rested=1" not in office.get("/administrator/")["Location"]


# Choosing ----------------------------------------------------------------------------------------


def test_a_patient_is_chosen_by_name_with_the_days(people: People, office: Client) -> None:
    said = {"wanted": "DOE ali", "from": "2026-02-01", "to": "2026-02-09"}
    page = unescape(shown(office.post("/administrator/", said)))
    assert "1 person found." in page
    assert f'{path_of(people.patient)}?from=2026-02-01&to=2026-02-09"' in page
    assert "May 17, 1990" in page
    assert str(people.other_patient.pk) not in page
    shown_to = AuditEvent.objects.get(action="patients.read")
    assert shown_to.facts == {"count": 1, "patients": [str(people.patient.pk)]}
    (row,) = rows_of(page_of(office, people.patient))
    assert "Opened a list of patients that had this person on it." in row


def test_those_of_another_organisation_are_not_found(people: People, office: Client) -> None:
    page = shown(office.post("/administrator/", {"wanted": "emil"}))
    assert "0 people found." in page
    assert str(people.elsewhere_patient.pk) not in page


def test_before_a_name_is_asked_for_nobody_is_shown(people: People, office: Client) -> None:
    for response in (
        office.get("/administrator/"),
        office.post("/administrator/", {"wanted": " "}),
    ):
        assert people.patient.given_name not in shown(response)
    assert response.status_code == 400
    assert "Please write a name." in shown(response)
    assert not AuditEvent.objects.filter(action="patients.read").exists()


def test_a_wildcard_is_a_letter_like_any_other(people: People, office: Client) -> None:
    for wanted in ("%", "_", "a%e", "\\", "'"):
        assert "0 people found." in shown(office.post("/administrator/", {"wanted": wanted}))


def test_more_people_than_fit_are_told_of(people: People, office: Client) -> None:
    for number in range(MOST_FOUND):
        make_patient(people.organisation, f"alix{number}", user=None)
    page = shown(office.post("/administrator/", {"wanted": "ali"}))
    assert f"These are the first {MOST_FOUND}." in page
    assert page.count("/administrator/patients/") == MOST_FOUND
    assert len(AuditEvent.objects.get(action="patients.read").facts["patients"]) == MOST_FOUND


def test_a_name_with_markup_is_only_text(people: People, office: Client) -> None:
    name = "<script>alert(1)</script>"
    Patient.objects.filter(pk=people.patient.pk).update(given_name=name)
    people.therapist.display_name = '"><img src=x onerror=alert(2)>'
    people.therapist.save()
    act(people.patient, by=bob(people), at=timezone.now())
    pages = (
        office.post("/administrator/", {"wanted": "<script>"}),
        office.get(path_of(people.patient)),
    )
    for response in pages:
        page = shown(response)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert name not in page
        assert "<img" not in page
    assert "&lt;img src=x" in page


def test_in_spanish(people: People, office: Client) -> None:
    assert isinstance(people.administrator, Administrator)
    act(people.patient, by=bob(people), at=timezone.now())
    office.post("/desk/language", {"language": "es"})
    chosen = unescape(shown(office.post("/administrator/", {"wanted": "ali"})))
    page = page_of(office, people.patient)
    assert "Abrió el expediente." in page
    for said in (chosen, page):
        assert "¿Quién vio a esta persona?" in said
        for english in ("Who saw", "First day", "Allowed", "Clinician", "Opened", " found", "born"):
            assert english not in said
