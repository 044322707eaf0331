"""The reads behind a caseload and a sweep: equal to what a plain loop over the rows finds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.tracking.models import Assessment, CheckIn, CheckInKind, Source, TrendDirection
from backend.tracking.selectors import Standing, standings
from backend.tracking.windows import COLUMNS, latest_days, load_windows
from tests.people import People

TODAY = date(2025, 11, 20)
DAYS = 30


def record(patient_id: UUID, ago: int, *, hour: int = 20, **values: Any) -> CheckIn:
    on = TODAY - timedelta(days=ago)
    at = datetime(on.year, on.month, on.day, hour, tzinfo=UTC)
    return CheckIn.objects.create(
        **{
            "id": uuid4(),
            "patient_id": patient_id,
            "kind": CheckInKind.DAILY,
            "source": Source.APP,
            "local_date": on,
            "recorded_at": at,
            "received_at": at,
            "utc_offset_minutes": 0,
            "content_digest": b"",
            **values,
        }
    )


def assess(patient_id: UUID, ago: int, trend: str, *, hour: int = 20) -> Assessment:
    on = TODAY - timedelta(days=ago)
    return Assessment.objects.create(
        patient_id=patient_id,
        as_of_on=on,
        assessed_at=datetime(on.year, on.month, on.day, hour, tzinfo=UTC),
        ruleset="test",
        trend=trend,
        facts={"trend": trend, "ago": ago},
        input_digest=b"",
    )


def expected(patient_id: UUID, end: date, days: int) -> dict[str, np.ndarray[Any, Any]]:
    """A plain loop: of each day's daily check-ins that stand, the one recorded, then received,
    last."""
    raw = {name: np.full(days, np.nan) for name in COLUMNS}
    rows = CheckIn.objects.filter(
        patient_id=patient_id, kind=CheckInKind.DAILY, withdrawn_at__isnull=True
    ).order_by("recorded_at", "received_at")
    for row in rows:
        column = days - 1 - (end - row.local_date).days
        if 0 <= column < days:
            for name in COLUMNS:
                value = getattr(row, name)
                raw[name][column] = np.nan if value is None else float(value)
    return raw


@pytest.fixture
def diaries(people: People) -> People:
    rng = np.random.default_rng(7)
    for patient in (people.patient, people.other_patient):
        for ago in range(40):
            if rng.uniform() < 0.6:
                record(
                    patient.pk,
                    ago,
                    mood=int(rng.integers(0, 11)),
                    craving=None if rng.uniform() < 0.2 else int(rng.integers(0, 11)),
                    sleep_hours=Decimal(int(rng.integers(0, 97))) / 4,
                    exercise_minutes=int(rng.integers(0, 1441)),
                    confidence=int(rng.integers(0, 11)),
                )
    return people


def test_windows_are_what_a_plain_loop_finds(diaries: People) -> None:
    ends = {diaries.other_patient.pk: TODAY, diaries.patient.pk: TODAY - timedelta(days=5)}
    windows = load_windows(ends, days=DAYS)
    assert windows.patient_ids == tuple(ends)
    assert windows.as_of == tuple(ends.values())
    for row, (patient_id, end) in enumerate(ends.items()):
        for name, values in expected(patient_id, end, DAYS).items():
            assert np.isfinite(values).any()
            np.testing.assert_array_equal(windows.raw[name][row], values)
            assert windows.raw[name].shape == (2, DAYS)


def test_the_digest_sees_exactly_the_values(diaries: People) -> None:
    before = load_windows({diaries.patient.pk: TODAY}, days=DAYS).digest(0)
    assert load_windows({diaries.patient.pk: TODAY}, days=DAYS).digest(0) == before
    record(diaries.patient.pk, DAYS, mood=1)
    assert load_windows({diaries.patient.pk: TODAY}, days=DAYS).digest(0) == before
    record(diaries.patient.pk, 0, hour=23, mood=1)
    assert load_windows({diaries.patient.pk: TODAY}, days=DAYS).digest(0) != before


def test_of_one_day_the_latest_recorded_counts_then_the_latest_received(people: People) -> None:
    record(people.patient.pk, 3, hour=21, mood=8)
    record(people.patient.pk, 3, hour=9, mood=2)
    late = datetime(2025, 11, 20, 23, tzinfo=UTC)
    record(people.patient.pk, 4, mood=3, received_at=late)
    record(people.patient.pk, 4, mood=7)
    mood = load_windows({people.patient.pk: TODAY}, days=DAYS).raw["mood"][0]
    assert mood[DAYS - 1 - 3] == 8
    assert mood[DAYS - 1 - 4] == 3


def test_the_latest_counts_also_where_it_says_less(people: People) -> None:
    record(people.patient.pk, 3, hour=9, mood=2, craving=4)
    record(people.patient.pk, 3, hour=21, mood=8)
    raw = load_windows({people.patient.pk: TODAY}, days=DAYS).raw
    assert np.isnan(raw["craving"][0]).all()


def test_moments_withdrawn_ones_and_other_days_are_no_part_of_it(people: People) -> None:
    record(people.patient.pk, 1, kind=CheckInKind.MOMENT, craving=9)
    record(people.patient.pk, 2, mood=1, withdrawn_at=datetime(2025, 11, 20, tzinfo=UTC))
    record(people.patient.pk, DAYS, mood=1)
    record(people.patient.pk, -1, mood=1)
    record(people.other_patient.pk, 1, mood=1)
    raw = load_windows({people.patient.pk: TODAY}, days=DAYS).raw
    assert all(np.isnan(values).all() for values in raw.values())


def test_nobody_is_no_rows(people: People) -> None:
    windows = load_windows({}, days=DAYS)
    assert windows.patient_ids == ()
    assert windows.raw["mood"].shape == (0, DAYS)
    assert latest_days([]) == {}
    assert standings([]) == {}


def test_the_last_day_is_that_of_a_daily_one_that_stands(people: People) -> None:
    patient = people.patient.pk
    record(patient, 9, mood=5)
    record(patient, 6, mood=5)
    record(patient, 2, mood=5, withdrawn_at=datetime(2025, 11, 20, tzinfo=UTC))
    record(patient, 1, kind=CheckInKind.MOMENT, craving=5)
    found = latest_days([people.other_patient.pk, patient])
    assert found == {patient: TODAY - timedelta(days=6)}
    standing = standings([people.other_patient.pk, patient])
    assert standing[patient].last_on == TODAY - timedelta(days=6)
    assert standing[people.other_patient.pk].last_on is None


def test_the_latest_trend_is_that_of_the_last_day_then_of_the_last_evaluation(
    people: People,
) -> None:
    patient, other = people.patient.pk, people.other_patient.pk
    record(patient, 1, mood=5)
    record(other, 1, mood=5)
    assess(patient, 2, TrendDirection.WORSENING, hour=23)
    assess(patient, 1, TrendDirection.IMPROVING, hour=9)
    assess(patient, 1, TrendDirection.WORSENING, hour=10)
    assess(other, 1, TrendDirection.STEADY)
    found = standings([patient, other, people.elsewhere_patient.pk])
    assert found[people.elsewhere_patient.pk] == Standing(None, TrendDirection.UNKNOWN, {})
    assert found[patient].trend == TrendDirection.WORSENING
    assert found[patient].facts == {"trend": "worsening", "ago": 1}
    assert found[other].trend == TrendDirection.STEADY


def test_facts_come_along_only_where_a_sentence_needs_them(people: People) -> None:
    record(people.patient.pk, 1, mood=5)
    assess(people.patient.pk, 1, TrendDirection.STEADY)
    on = TODAY - timedelta(days=1)
    assert standings([people.patient.pk])[people.patient.pk] == Standing(on, "steady", {})


def test_each_of_them_is_one_query_for_any_number_of_people(diaries: People) -> None:
    ids = [diaries.patient.pk, diaries.other_patient.pk]
    with CaptureQueriesContext(connection) as queries:
        latest_days(ids)
        standings(ids)
    assert len(queries) == 2
