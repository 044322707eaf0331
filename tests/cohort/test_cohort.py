"""The invented people: the same each time, plausible, and each with the story told of them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from backend.intake.bodies import CheckInBody, to_report
from backend.intake.cohort import SILENT_SINCE, Person, Story, generate_cohort
from backend.intake.cohort_names import NAMES
from backend.tracking.reports import CheckInReport

END = date(2026, 3, 18)
ZONE = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def cohort() -> tuple[Person, ...]:
    return generate_cohort(end_on=END, zone=ZONE)


def told(cohort: tuple[Person, ...], story: Story) -> list[Person]:
    return [person for person in cohort if person.story is story]


def mean(reports: list[CheckInReport], name: str) -> float:
    return float(np.mean([v for r in reports if (v := getattr(r, name)) is not None]))


def test_it_is_the_same_each_time(cohort: tuple[Person, ...]) -> None:
    assert generate_cohort(end_on=END, zone=ZONE) == cohort
    assert generate_cohort(end_on=END, zone=ZONE, seed=1) != cohort


def test_another_last_day_moves_the_days_and_keeps_the_people(cohort: tuple[Person, ...]) -> None:
    later = generate_cohort(end_on=END + timedelta(days=7), zone=ZONE)
    for here, there in zip(cohort, later, strict=True):
        assert (here.given_name, here.story) == (there.given_name, there.story)
        days = [report.local_date + timedelta(days=7) for report in here.diary]
        assert [report.local_date for report in there.diary] == days
        assert [r.mood for r in here.diary] == [r.mood for r in there.diary]


def test_forty_people_each_with_a_name_of_their_own(cohort: tuple[Person, ...]) -> None:
    assert len(cohort) == 40
    assert len({(person.given_name, person.family_name) for person in cohort}) == 40
    assert len(set(NAMES)) == len(NAMES)
    assert all(18 <= (END - person.born_on).days / 365.25 < 90 for person in cohort)


def test_every_story_is_told_and_most_are_steady(cohort: tuple[Person, ...]) -> None:
    count = Counter(person.story for person in cohort)
    assert set(count) == set(Story)
    assert count[Story.IN_TROUBLE] == 1
    assert count[Story.STEADY] > 20
    assert cohort[0].story is Story.STEADY


@pytest.mark.parametrize("people", [1, 2, 5, 40])
def test_any_number_of_people_will_do(people: int) -> None:
    assert len(generate_cohort(end_on=END, zone=ZONE, people=people, days=30)) == people


def test_diaries_are_in_order_with_gaps_and_no_day_twice(cohort: tuple[Person, ...]) -> None:
    answered = 0
    for person in cohort:
        days = [report.local_date for report in person.diary]
        assert days == sorted(set(days))
        assert days[0] > END - timedelta(days=90)
        assert days[-1] <= END
        answered += len(days)
    assert 0.6 < answered / (40 * 90) < 0.8
    ids = [report.id for person in cohort for report in person.diary]
    assert len(set(ids)) == len(ids)


def test_every_day_is_one_that_a_phone_could_have_sent(cohort: tuple[Person, ...]) -> None:
    for person in cohort:
        for report in person.diary:
            sent = {name: v for name, v in report.items().items() if v not in (None, ())}
            sent |= {"id": report.id, "exercise_kind": report.exercise_kind or None}
            if report.sleep_hours is not None:
                sent["sleep_hours"] = float(report.sleep_hours)
            body = msgspec.convert(sent, CheckInBody)
            read = to_report(body, patient_zone=str(ZONE), now=report.recorded_at)
            assert read.digest() == report.digest()


def test_the_decliners_decline_and_nothing_acute_gives_it_away(cohort: tuple[Person, ...]) -> None:
    for person in told(cohort, Story.DECLINING):
        recent = [r for r in person.diary if (END - r.local_date).days < 6]
        before = [r for r in person.diary if 21 <= (END - r.local_date).days < 63]
        assert mean(recent, "craving") > mean(before, "craving") + 1
        last = person.diary[-1]
        assert last.local_date == END
        assert (last.mood or 0) > 2
        assert (last.craving or 9) < 8
        assert (last.confidence or 0) > 3
        assert (last.sleep_hours or 0) > Decimal(4)
        assert not last.use_reported


def test_those_who_lapse_do_so_today_after_a_long_run_without(cohort: tuple[Person, ...]) -> None:
    for person in told(cohort, Story.LAPSING):
        used = [report.local_date for report in person.diary if report.use_reported]
        assert used[-1] == END
        assert len(used) == 2
        assert (used[1] - used[0]).days > 30
        assert person.diary[-1].use_substances


def test_the_silent_ones_stopped(cohort: tuple[Person, ...]) -> None:
    since = sorted((END - p.diary[-1].local_date).days for p in told(cohort, Story.SILENT))
    assert since == sorted(SILENT_SINCE)


def test_one_is_in_clear_trouble(cohort: tuple[Person, ...]) -> None:
    (person,) = told(cohort, Story.IN_TROUBLE)
    last = person.diary[-1]
    assert (last.local_date, last.mood, last.craving) == (END, 1, 9)
    assert not last.not_safe


def test_the_others_have_not_checked_in_today_and_did_yesterday(cohort: tuple[Person, ...]) -> None:
    for person in (*told(cohort, Story.STEADY), *told(cohort, Story.IMPROVING)):
        assert person.diary[-1].local_date == END - timedelta(days=1)
