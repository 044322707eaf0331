"""The outlook: reasons for clinicians, and nothing of it anywhere else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert, Nudge
from backend.aftercare.services import assess_due
from backend.aftercare.services.sweeping import sweep_range
from backend.aftercare.texts import all_texts
from backend.notifications.models import Notification
from backend.row_security import Acting, acting_as
from backend.tracking.outlooks import read_outlook
from backend.tracking.sweeping import RANGES, ends_of
from tests.aftercare.reporting import report
from tests.architecture.source import files, imports_in, tree
from tests.people import People, make_device
from tests.phones import Phone
from tests.program.attending import in_programme, kept, took_test

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
# Who may know of it: what reads it, what puts it into words, the answer and the page.
READERS = {
    "backend/tracking/outlooks.py",
    "backend/aftercare/outlook_words.py",
    "backend/aftercare/api/outlook.py",
    "backend/dashboard/programme.py",
    "backend/dashboard/services.py",
}


def struggle(people: People) -> None:
    """Tests positive for weeks, use reported, the last two weeks missed."""
    patient = people.patient
    in_programme(patient, now=NOW, days=60)
    for week in range(3, 8):
        day = NOW - week * 7 * DAY
        took_test(patient, day.date(), "positive", now=NOW, positive_for=["opioids"])
    took_test(patient, (NOW - 16 * DAY).date(), "positive", now=NOW)
    for days in (3, 10):
        kept(patient, NOW - days * DAY, "missed", at=NOW)


def told(people: People) -> dict[str, Any]:
    phone = Phone.of(people.therapist.user)
    found: dict[str, Any] = phone.get(f"/patients/{people.patient.pk}/outlook").json()
    return found


def test_a_clinician_reads_reasons_and_where_they_come_from(people: People) -> None:
    struggle(people)
    report(people, now=NOW - 4 * DAY, use_reported=True, use_substances=["opioids"])
    answer = told(people)
    assert "opioid use disorder (CTN-0094)" in answer["note"]
    by_outcome = {one["outcome"]: one for one in answer["results"]}
    assert set(by_outcome) == {"use_next_week", "gone_four_weeks"}
    use = by_outcome["use_next_week"]
    assert use["raises"] == [
        "5 of 5 weeks with a test were positive for what is treated; the last one positive.",
        "Use of what is treated reported on 1 day in four weeks, the last time 4 days ago.",
    ]
    gone = by_outcome["gone_four_weeks"]
    assert gone["raises"][0] == "Missed 2 weeks up to now: no test taken, no session attended."
    people.therapist.user.language = "es"
    people.therapist.user.save()
    spanish = told(people)["results"][1]["raises"][0]
    assert spanish == "Falta desde hace 2 semanas: sin pruebas ni sesiones."
    assert AuditEvent.objects.filter(action="outlook.read").count() == 2


def test_it_is_never_a_number_of_its_own(people: People) -> None:
    struggle(people)
    answer = told(people)
    assert answer["results"]
    values = [value for one in answer["results"] for value in one.values()]
    assert not any(isinstance(value, int | float) for value in values)
    assert all(one["raises"] or one["lowers"] for one in answer["results"])
    assert "%" not in str(answer) and "probab" not in str(answer)


def test_without_a_recent_test_or_an_episode_nothing_is_said(people: People) -> None:
    assert told(people)["results"] == []
    episode = in_programme(people.patient, now=NOW, days=60)
    assert told(people)["why_not"]
    took_test(people.patient, (NOW - 40 * DAY).date(), "positive", now=NOW)
    assert told(people)["results"] == []
    took_test(people.patient, (NOW - 4 * DAY).date(), "positive", now=NOW)
    assert told(people)["results"] and told(people)["why_not"] is None
    episode.ended_on = (NOW - 2 * DAY).date()
    episode.save()
    assert (told(people)["results"], told(people)["as_of"]) == ([], None)


def test_a_test_taken_back_and_use_of_something_else_count_no_more(people: People) -> None:
    in_programme(people.patient, now=NOW, days=60)
    row = took_test(people.patient, (NOW - 4 * DAY).date(), "positive", now=NOW)
    report(people, now=NOW - 4 * DAY, use_reported=True, use_substances=["nicotine"])
    reading = read_outlook(people.patient, now=NOW)
    assert reading is not None
    assert (reading.history.positive, reading.history.days_since_use) == (1, None)
    row.withdrawn_at = NOW
    row.save()
    reading = read_outlook(people.patient, now=NOW)
    assert reading is not None and reading.history.tests == 0


def test_no_patient_gets_it(people: People, phone: Phone) -> None:
    struggle(people)
    assert phone.get(f"/patients/{people.patient.pk}/outlook").status_code == 403
    assert phone.get("/me/outlook").status_code == 404
    for path in ("/trends", "/me/help", "/me/sessions", "/me/safety-bundle", "/me/audit"):
        answer = phone.get(path)
        assert answer.status_code == 200
        assert b"CTN-0094" not in answer.content
        assert b"outlook" not in answer.content


@pytest.mark.parametrize("who", ["stranger", "elsewhere_therapist", "administrator"])
def test_nobody_gets_it_who_does_not_care_for_them(people: People, who: str) -> None:
    struggle(people)
    answer = Phone.of(getattr(people, who).user).get(f"/patients/{people.patient.pk}/outlook")
    assert answer.status_code in (403, 404)
    assert b"opioid" not in answer.content


def test_the_worst_of_it_raises_no_alert(people: People) -> None:
    """Tests and reported history alone: who answers daily and missed no session is not flagged."""
    make_device(people.therapist.user)
    make_device(people.patient_user)
    in_programme(people.patient, now=NOW, days=60)
    for week in range(8):
        for days in (2, 4):
            on = (NOW - (7 * week + days) * DAY).date()
            took_test(people.patient, on, "positive", now=NOW, positive_for=["opioids"])
        kept(people.patient, NOW - (7 * week + 2) * DAY, "excused", at=NOW)
    for ago in range(20, 0, -1):
        report(people, now=NOW - ago * DAY, mood=6)
    assess_due(now=NOW)
    (use, _gone) = read_outlook(people.patient, now=NOW).facts  # type: ignore[union-attr]
    assert use["level"] == "higher"
    told(people)
    sweep_range(ends_of(0)[0], ends_of(RANGES - 1)[1], now=NOW)
    assert not Alert.objects.exists()
    assert not Nudge.objects.exists()
    assert not Notification.objects.exists()


def test_it_is_stored_nowhere(people: People) -> None:
    struggle(people)
    with CaptureQueriesContext(connection) as queries:
        assert read_outlook(people.patient, now=NOW)
    assert len(queries) <= 5
    assert not [one["sql"] for one in queries if not one["sql"].startswith("SELECT")]


def test_nothing_that_decides_or_gives_away_can_reach_it() -> None:
    """By import: not the rules, not alerts, not the export, FHIR, disclosures or messages."""
    found = {
        str(path)
        for path in files("backend")
        for _line, name in imports_in(tree(path))
        if re.search(r"outlook", name) and "tracking/trends/" not in str(path)
    }
    found -= {"backend/urls.py"}
    assert found <= READERS
    assert {"backend/tracking/outlooks.py", "backend/aftercare/api/outlook.py"} <= found
    words = {text.id for text in all_texts() if text.id.startswith("outlook.")}
    assert len(words) > 10


def test_row_security_hides_it_too(people: People) -> None:
    struggle(people)
    with acting_as(Acting("clinician", people.stranger.user_id)):
        assert read_outlook(people.patient, now=NOW) is None
