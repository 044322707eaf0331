"""Searches: dates and codes, pages that are complete and stay so, and refusals in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fhir.reading import (
    FULL,
    NOON,
    Caller,
    assessment,
    check_in,
    codes,
    nudge,
    outcome,
    record_all,
    resources,
)
from tests.people import People

DAYS = [NOON - timedelta(days=back) for back in range(7)]


@pytest.fixture
def week(people: People) -> list[str]:
    """A check-in of two items on each of seven days, the newest first."""
    rows = [check_in(people.patient, at=at, mood=5, sleep_hours=7) for at in DAYS]
    return [f"{row.pk}-{code}" for row in rows for code in ("mood", "sleep-hours")]


def ids(found: list[dict[str, str]]) -> list[str]:
    return [one["id"] for one in found]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 13, 14, 15, 200])
def test_pages_are_complete_and_in_one_order(patient: Caller, week: list[str], size: int) -> None:
    pages = [resources(page) for page in patient.pages(f"Observation?_count={size}")]
    assert [one["id"] for page in pages for one in page] == week
    assert all(0 < len(page) <= size for page in pages)


def test_pages_stay_whole_while_new_ones_arrive(
    people: People, patient: Caller, week: list[str]
) -> None:
    found = []
    for page in patient.pages("Observation?_count=3"):
        found += resources(page)
        check_in(people.patient, at=NOON + timedelta(minutes=len(found)), mood=1)
    assert ids(found) == week


def test_two_of_the_same_moment_are_both_told(people: People, patient: Caller) -> None:
    rows = [check_in(people.patient, kind=kind, mood=4) for kind in ("daily", "daily", "daily")]
    for size in (1, 2):
        found = ids(patient.all(f"Observation?_count={size}"))
        assert sorted(found) == sorted(f"{row.pk}-mood" for row in rows)


def test_every_item_is_told_one_by_one_too(people: People, patient: Caller) -> None:
    row = check_in(people.patient, **FULL, not_safe=True)
    found = patient.all("Observation?_count=1")
    assert codes(found) == [
        "not-safe", "mood", "craving", "confidence", "sleep-hours", "sleep-quality",
        "exercise-minutes", "use-reported", "withdrawal-reported", "cues", "helped", "note",
    ]  # fmt: skip
    for code in codes(found):
        assert ids(patient.all(f"Observation?code={code}")) == [f"{row.pk}-{code}"]


def test_an_item_alone_is_found_by_the_database_as_well(people: People, patient: Caller) -> None:
    """What counts as answered is said twice, in SQL and in Python."""
    alone = [*FULL.items(), ("not_safe", True), ("exercise_minutes", 0), ("use_reported", False)]
    for back, (name, value) in enumerate(alone):
        row = check_in(people.patient, at=NOON - timedelta(days=back), mood=5)
        row.mood = None
        setattr(row, name, value)
        row.save()
    assert len(patient.all("Observation?_count=1")) == len(alone)
    assert len(patient.all("Observation?_count=200")) == len(alone)


def test_everything_goes_through_all_types_in_pages(people: People, patient: Caller) -> None:
    record_all(people.patient)
    path = f"Patient/{people.patient.pk}/$everything"
    whole = patient.all(f"{path}?_count=200")
    kinds = list(dict.fromkeys(one["resourceType"] for one in whole))
    assert kinds == [
        "Patient", "CareTeam", "Flag", "DetectedIssue", "Observation", "Communication",
        "Consent",
    ]  # fmt: skip
    assert {one["resourceType"]: patient.all(one["resourceType"]) for one in whole} == {
        kind: [one for one in whole if one["resourceType"] == kind] for kind in kinds
    }
    for size in (1, 2, 7):
        assert patient.all(f"{path}?_count={size}") == whole


@pytest.mark.parametrize("kind", ["DetectedIssue", "Communication", "Flag"])
def test_rows_come_in_pages_too(people: People, patient: Caller, kind: str) -> None:
    for at in DAYS:
        assessment(people.patient, at=at)
        nudge(people.patient, at=at)
    for item, value in (("craving", 9), ("mood", 0), ("confidence", 1)):
        check_in(people.patient, at=NOON, **{item: value})
    whole = patient.all(kind)
    assert len(whole) > 1
    assert patient.all(f"{kind}?_count=1") == whole


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("date=2026-03-04", [0]),
        ("date=ge2026-03-03", [0, 1]),
        ("date=gt2026-03-03", [0]),
        ("date=lt2026-02-27", [6]),
        ("date=le2026-02-27", [5, 6]),
        ("date=ge2026-02-28&date=lt2026-03-02", [3, 4]),
        ("date=2026-02", [4, 5, 6]),
        ("date=ne2026-02", [0, 1, 2, 3]),
        ("date=2025", []),
        ("date=ge2026-03-04T12:00", [0]),
        ("date=gt2026-03-04T17:00:00Z", []),
        ("date=2026-03-04T17:00:00Z", [0]),
        ("date=2026-03-04T12:00:00-05:00", [0]),
    ],
)
def test_dates_mean_days_where_the_patient_is(
    patient: Caller, week: list[str], query: str, days: list[int]
) -> None:
    found = ids(patient.all(f"Observation?code=mood&{query}"))
    assert found == [week[2 * day] for day in days]


def test_late_in_the_evening_is_still_that_day(people: People, patient: Caller) -> None:
    check_in(people.patient, at=datetime(2026, 3, 5, 3, 0, tzinfo=UTC), mood=5)  # 22:00 there
    assert len(patient.all("Observation?date=2026-03-04")) == 1
    assert patient.all("Observation?date=2026-03-05") == []


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [("DetectedIssue", "identified"), ("Communication", "sent"), ("Flag", "date")],
)
def test_other_types_have_dates_of_their_own(
    people: People, patient: Caller, kind: str, parameter: str
) -> None:
    record_all(people.patient)
    assert patient.all(f"{kind}?{parameter}=ge2026-01-01") == patient.all(kind) != []
    assert patient.all(f"{kind}?{parameter}=lt2026-01-01") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=mood", ["mood"]),
        ("code=mood,craving", ["mood", "craving"]),
        ("code=mood&code=craving", []),
        ("code=93832-4", ["sleep-hours"]),
        ("code=http://loinc.org|55411-3", ["exercise-minutes"]),
        ("code=urn:handrail:check-in|sleep-hours", ["sleep-hours"]),
        ("code=http://loinc.org|mood", []),
        ("code=|mood", []),
        ("code=unknown", []),
    ],
)
def test_codes(people: People, patient: Caller, query: str, found: list[str]) -> None:
    check_in(people.patient, **FULL)
    assert codes(patient.all(f"Observation?{query}")) == found


@pytest.mark.parametrize(
    "path",
    [
        "Observation?nonsense=1",
        "Observation?identified=2026",
        "Flag?code=mood",
        "CareTeam?date=2026",
        "Patient?patient=1",
        "Patient?_id=1",
        "Observation?patient=nonsense",
        "Observation?patient=",
        "Observation?patient=Clinician/00000000-0000-4000-8000-000000000000",
        "Observation?date=yesterday",
        "Observation?date=",
        "Observation?date=ap2026-03-04",
        "Observation?date=2026-02-30",
        "Observation?date=2026-13",
        "Observation?date=9999",
        "Observation?date=0000",
        "Observation?date=2026-03-04T25:00",
        "Observation?code=",
        "Observation?code=mood,",
        "Observation?code=http://loinc.org|",
        "Observation?_count=0",
        "Observation?_count=-1",
        "Observation?_count=many",
        "Observation?_count=1&_count=2",
        "Observation?_format=xml",
        "Observation/1?nonsense=1",
    ],
)
def test_what_cannot_be_meant_is_refused(people: People, patient: Caller, path: str) -> None:
    assert outcome(patient.get(path), 400) == ("invalid", "invalid_parameter")


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "", "W10", "WyJhIl0", "WyJhIiwiYiJd", "WyIyMDI2LTAzLTA0IiwiYSJd",
        "WyJPYnNlcnZhdGlvbiJd", "WyJQYXRpZW50IiwiYSJd",
    ],
)  # fmt: skip
def test_a_marker_that_is_not_ours_is_refused(people: People, patient: Caller, cursor: str) -> None:
    check_in(people.patient, mood=5)
    answer = patient.get(f"Observation?_cursor={cursor}")
    assert outcome(answer, 400) == ("invalid", "invalid_cursor")
    answer = patient.get(f"Patient/{people.patient.pk}/$everything?_cursor={cursor}")
    assert answer.status_code in (200, 400)


def test_a_refusal_repeats_nothing_that_was_written(patient: Caller) -> None:
    for path in ("Observation?canary=1", "Observation?date=canary", "Observation?patient=canary"):
        assert b"canary" not in patient.get(path).content


def test_more_than_fits_is_answered_in_parts(people: People, patient: Caller) -> None:
    for back in range(21):
        at = NOON - timedelta(days=back)
        check_in(people.patient, at=at, **{**FULL, "use_on": at.date()})
    first = patient.read("Observation?_count=100000")
    assert len(resources(first)) == 200
    assert len(patient.all("Observation?_count=100000")) == 21 * 11
