"""Sessions through the API: planned once, attended or not, corrected, called off, read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.models import AuditEvent
from backend.notifications.models import Notification
from backend.program.models import Attendance, DrugTest, ProgramSession, SessionSeries
from backend.program.selectors import HeldSession, held_sessions
from tests.people import People, make_device, make_tie
from tests.phones import Phone
from tests.program.attending import attend, in_programme, kept, planned, recorded

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def therapist(people: People) -> Phone:
    return Phone.of(people.therapist.user)


def path(people: People, rest: str = "sessions") -> str:
    return f"/patients/{people.patient.pk}/{rest}"


def body(**items: Any) -> dict[str, Any]:
    starts_at = (NOW + DAY).isoformat()
    return {
        "id": str(uuid4()),
        "kind": "group",
        "starts_at": starts_at,
        "duration_minutes": 180,
        **items,
    }


def series(**items: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "kind": "group",
        "first_on": str(NOW.date()),
        "at": "18:00:00",
        "duration_minutes": 180,
        "rule": "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6",
        **items,
    }


def mark(phone: Phone, people: People, session: ProgramSession, status: str, **more: str) -> Any:
    sent = {"id": str(uuid4()), "status": status, **more}
    return phone.post(path(people, f"sessions/{session.pk}/attendance"), sent)


# Planning ---------------------------------------------------------------------------------------


def test_it_is_planned_once_however_often_it_is_sent(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    sent = body()
    answers = [therapist.post(path(people), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["time_zone"] == "America/New_York"
    assert answers[0].json()["attendance"] is None
    answer = therapist.post(path(people), {**sent, "duration_minutes": 60})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert answer.json()["stored"]["duration_minutes"] == 180
    assert AuditEvent.objects.filter(action="session.plan").count() == 1


def test_none_is_planned_outside_of_an_episode(people: People, therapist: Phone) -> None:
    for rest, sent in (("sessions", body()), ("session-series", series())):
        answer = therapist.post(path(people, rest), sent)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_episode")
    assert not ProgramSession.objects.exists()


@pytest.mark.parametrize(
    "items",
    [
        {"starts_at": "2026-03-02T09:00:00"},
        {"starts_at": "2099-03-02T09:00:00Z"},
        {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"starts_at": "9999-12-31T23:59:59-14:00"},
        {"kind": "lecture"},
        {"duration_minutes": 0},
        {"duration_minutes": 721},
        {"id": "7"},
        {"more": 1},
    ],
)
def test_what_is_no_session_is_refused(
    people: People, therapist: Phone, items: dict[str, Any]
) -> None:
    in_programme(people.patient, now=NOW)
    assert therapist.post(path(people), body(**items)).status_code == 400
    assert not ProgramSession.objects.exists()


def test_a_series_is_its_sessions_and_is_made_once(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    sent = series()
    answers = [therapist.post(path(people, "session-series"), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    rows = ProgramSession.objects.order_by("starts_at")
    assert answers[1].json()["sessions"] == [str(row.pk) for row in rows]
    assert len(rows) == 6 and {str(row.series_id) for row in rows} == {sent["id"]}
    answer = therapist.post(path(people, "session-series"), {**sent, "kind": "family"})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert AuditEvent.objects.get(action="session_series.plan").facts == {"sessions": 6}


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=201"])
def test_a_rule_that_cannot_be_used_stores_nothing(
    people: People, therapist: Phone, rule: str
) -> None:
    in_programme(people.patient, now=NOW)
    answer = therapist.post(path(people, "session-series"), series(rule=rule))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unusable_rule")
    assert not SessionSeries.objects.exists()


# Attendance -------------------------------------------------------------------------------------


def test_attendance_is_recorded_and_corrected(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - HOUR, now=NOW)
    sent = str(uuid4())
    answers = [mark(therapist, people, session, "missed", id=sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    said = answers[1].json()
    assert (said["attendance"], said["recorded_by"]) == ("missed", "Bob")
    answer = mark(therapist, people, session, "attended", id=sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    assert mark(therapist, people, session, "attended").status_code == 201
    # A phone that sends the first one again changes nothing of the correction.
    assert mark(therapist, people, session, "missed", id=sent).json()["attendance"] == "attended"
    assert Attendance.objects.count() == 2
    assert AuditEvent.objects.filter(action="attendance.record").count() == 2
    (shown,) = therapist.get(path(people)).json()["results"]
    assert shown["attendance"] == "attended"


def test_before_it_begins_only_an_excuse_is_taken(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW + DAY, now=NOW)
    for status in ("attended", "missed"):
        answer = mark(therapist, people, session, status)
        assert (answer.status_code, answer.json()["code"]) == (409, "session_not_begun")
    assert mark(therapist, people, session, "excused").status_code == 201
    assert mark(therapist, people, session, "late").status_code == 400


def test_a_session_called_off_is_missed_by_nobody(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - HOUR, now=NOW)
    one = path(people, f"sessions/{session.pk}")
    assert [therapist.request("DELETE", one).status_code for _ in range(2)] == [204, 204]
    answer = mark(therapist, people, session, "missed")
    assert (answer.status_code, answer.json()["code"]) == (409, "session_cancelled")
    (shown,) = therapist.get(path(people)).json()["results"]
    assert shown["cancelled_at"]
    held = kept(people.patient, NOW - DAY, "attended", at=NOW)
    answer = therapist.request("DELETE", path(people, f"sessions/{held.pk}"))
    assert (answer.status_code, answer.json()["code"]) == (409, "attendance_recorded")
    assert AuditEvent.objects.filter(action="session.cancel").count() == 1


def test_a_session_is_moved_once_and_nobody_misses_the_former(
    people: People, therapist: Phone
) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - HOUR, now=NOW)
    sent = {"id": str(uuid4()), "starts_at": (NOW + 2 * DAY).isoformat()}
    move = path(people, f"sessions/{session.pk}/move")
    answers = [therapist.post(move, sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json()["id"] for answer in answers] == [sent["id"]] * 2
    former, new = therapist.get(path(people)).json()["results"]
    assert (former["id"], new["id"]) == (str(session.pk), sent["id"])
    assert former["cancelled_at"] and not new["cancelled_at"]
    assert mark(therapist, people, session, "missed").json()["code"] == "session_cancelled"
    other = therapist.post(move, {**sent, "id": str(uuid4())})
    assert (other.status_code, other.json()["code"]) == (409, "session_cancelled")
    elsewhere = therapist.post(move, {**sent, "starts_at": (NOW + 3 * DAY).isoformat()})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "id_conflict")
    assert elsewhere.json()["stored"]["id"] == sent["id"]
    naive = therapist.post(move, {**sent, "starts_at": "2026-03-05T09:00:00"})
    assert (naive.status_code, naive.json()["errors"][0]["pointer"]) == (400, "/starts_at")
    assert AuditEvent.objects.filter(action="session.move").count() == 1
    assert ProgramSession.objects.count() == 2


def test_what_somebody_came_to_is_not_moved(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    held = kept(people.patient, NOW - DAY, "attended", at=NOW)
    sent = {"id": str(uuid4()), "starts_at": (NOW + DAY).isoformat()}
    move = path(people, f"sessions/{held.pk}/move")
    answer = therapist.post(move, sent)
    assert (answer.status_code, answer.json()["code"]) == (409, "attendance_recorded")
    for who, status in ((people.stranger.user, 404), (people.patient_user, 403)):
        assert Phone.of(who).post(move, sent).status_code == status
    assert ProgramSession.objects.count() == 1


def test_who_is_not_of_the_team_records_nothing(people: People) -> None:
    in_programme(people.patient, now=NOW)
    session = planned(people.patient, NOW - HOUR, now=NOW)
    assert mark(Phone.of(people.stranger.user), people, session, "missed").status_code == 404
    assert mark(Phone.of(people.patient_user), people, session, "attended").status_code == 403
    make_tie(people.other_patient, people.stranger)
    sent = {"id": str(uuid4()), "status": "missed"}
    wrong = f"/patients/{people.other_patient.pk}/sessions/{session.pk}/attendance"
    assert Phone.of(people.stranger.user).post(wrong, sent).status_code == 404
    assert not Attendance.objects.exists()


# Reading ----------------------------------------------------------------------------------------


def test_a_patient_reads_their_own_and_nobody_elses(people: People, phone: Phone) -> None:
    attend(people.patient, now=NOW)
    attend(people.other_patient, now=NOW)
    shown = phone.get("/me/sessions").json()["results"]
    assert [one["attendance"] for one in shown] == ["attended", None]
    assert "recorded_by" not in shown[0]
    assert b"stimulants" not in phone.get("/me/sessions").content
    assert phone.get(path(people, "drug-tests")).status_code == 403
    assert AuditEvent.objects.filter(action="sessions.read").count() == 2


def test_days_are_the_programmes(people: People, therapist: Phone) -> None:
    in_programme(people.patient, now=NOW)
    late = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)  # half past ten on the evening of the second
    episode = people.patient.episodes_of_care.get()
    episode.started_on = late.date() - DAY
    episode.save()
    planned(people.patient, late, now=NOW)
    asked = path(people, "sessions?from=2026-03-02&to=2026-03-02")
    assert len(therapist.get(asked).json()["results"]) == 1
    asked = path(people, "sessions?from=2026-03-03&to=2026-03-04")
    assert therapist.get(asked).json()["results"] == []


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-03-02&to=2026-03-01", "from=2020-01-01&to=2026-01-01",
              "from=0001-01-01", "from=9999-12-31", "from=2026-W01-1x"],
)  # fmt: skip
def test_days_that_cannot_be_meant_are_refused(people: People, therapist: Phone, query: str):
    answer = therapist.get(path(people, f"sessions?{query}"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_days")


@pytest.mark.parametrize(
    "query", ["from=0001-01-01&to=0001-01-02", "from=9999-12-30&to=9999-12-31"]
)
def test_the_ends_of_the_calendar_hold_nothing(people: People, therapist: Phone, query: str):
    answer = therapist.get(path(people, f"sessions?{query}"))
    assert answer.status_code == 400 or answer.json()["results"] == []


def test_what_counts_is_attended_and_missed_alone(people: People) -> None:
    patient = people.patient
    in_programme(patient, now=NOW)
    for days, status in ((9, "attended"), (5, "excused"), (3, "missed")):
        kept(patient, NOW - days * DAY, status, at=NOW)
    corrected = kept(patient, NOW - DAY, "missed", at=NOW)
    recorded(corrected, "excused", now=NOW)
    off = kept(patient, NOW - 2 * DAY, "missed", at=NOW)
    ProgramSession.objects.filter(pk=off.pk).update(cancelled_at=NOW)
    planned(patient, NOW - 4 * DAY, now=NOW)
    found = held_sessions([patient.pk, people.other_patient.pk], since=NOW - 8 * DAY)
    assert list(found) == [patient.pk]
    assert [held.status for held in found[patient.pk]] == ["missed"]
    assert isinstance(found[patient.pk][0], HeldSession)


# Drug tests -------------------------------------------------------------------------------------


def result(**items: Any) -> dict[str, Any]:
    day = str((NOW - DAY).date())
    return {"id": str(uuid4()), "collected_on": day, "result": "positive", **items}


def test_a_test_is_entered_once_and_taken_back(people: People, therapist: Phone) -> None:
    make_device(people.patient_user)
    make_device(people.therapist.user)
    tests = path(people, "drug-tests")
    sent = result(positive_for=["stimulants", "opioids", "opioids"])
    assert [therapist.post(tests, sent).status_code for _ in range(2)] == [201, 200]
    assert therapist.get(tests).json()["results"][0]["positive_for"] == ["opioids", "stimulants"]
    answer = therapist.post(tests, {**sent, "result": "negative", "positive_for": []})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_conflict")
    one = path(people, f"drug-tests/{sent['id']}")
    assert [therapist.request("DELETE", one).status_code for _ in range(2)] == [204, 204]
    assert therapist.get(tests).json()["results"] == []
    assert therapist.post(tests, sent).json()["withdrawn_at"]
    assert DrugTest.objects.count() == 1
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ({"result": "negative", "positive_for": ["opioids"]}, "contradiction"),
        ({"collected_on": "2099-01-01"}, "in_the_future"),
        ({"result": "dirty"}, "invalid_value"),
        ({"positive_for": ["sugar"]}, "invalid_value"),
    ],
)
def test_what_is_no_result_is_refused(
    people: People, therapist: Phone, items: dict[str, Any], code: str
) -> None:
    answer = therapist.post(path(people, "drug-tests"), result(**items))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert not DrugTest.objects.exists()
