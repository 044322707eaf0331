"""A packed window is the rows once more: equal to them, or not there, or not counted."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.accounts.actor import Actor
from backend.aftercare.services import assess_due, assessments
from backend.aftercare.services.sweeping import sweep_range
from backend.tracking import assessing
from backend.tracking.everyone import people_of
from backend.tracking.models import Assessment, AssessmentRequest, CheckIn, PackedWindow
from backend.tracking.packing import Packed, codes_of, decode, packed_of, windows_up_to
from backend.tracking.packing_rows import differing, pack_windows
from backend.tracking.selectors import Standing, latest_assessment, standings
from backend.tracking.services import request_assessment, withdraw_check_in
from backend.tracking.sweeping import RANGES, ends_of
from backend.tracking.windows import COLUMNS, WINDOW_DAYS, Windows, latest_days, load_windows
from tests.acting import carried
from tests.aftercare.reporting import report
from tests.people import People

START = date(2025, 12, 1)
EVERYONE = (ends_of(0)[0], ends_of(RANGES - 1)[1])
PEOPLE_ID = EVERYONE[1]

RATING = st.none() | st.integers(0, 10)
HOURS = st.none() | st.integers(0, 2400).map(lambda hundredths: Decimal(hundredths) / 100)
VALUES = {
    **dict.fromkeys(COLUMNS, RATING),
    "sleep_hours": HOURS,
    "exercise_minutes": st.none() | st.integers(0, 1440),
}


def at(day: int, hour: int = 20) -> datetime:
    return datetime(START.year, START.month, START.day, hour, tzinfo=UTC) + timedelta(days=day)


def windows_of(values: dict[str, list[float | None]]) -> Windows:
    raw = {name: np.full((1, WINDOW_DAYS), np.nan) for name in COLUMNS}
    for name, given_values in values.items():
        for day, value in enumerate(given_values):
            raw[name][0, day] = np.nan if value is None else float(value)
    return Windows((PEOPLE_ID,), (START,), raw)


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {name: st.lists(kind, max_size=WINDOW_DAYS) for name, kind in VALUES.items()}
    )
)
def test_what_is_packed_comes_back_to_the_last_bit(values: dict[str, list[float | None]]) -> None:
    windows = windows_of(values)
    packed = packed_of(windows, 0, ruleset="r")
    assert packed is not None
    again = Windows((PEOPLE_ID,), (START,), decode(codes_of([packed.days])))
    assert again.digest(0) == windows.digest(0)
    for name in COLUMNS:
        np.testing.assert_array_equal(again.raw[name], windows.raw[name])


@pytest.mark.parametrize("value", [7.125, 1e6, -3.0, 327.68])
def test_a_value_without_an_exact_place_is_not_packed(value: float) -> None:
    assert packed_of(windows_of({"sleep_hours": [value]}), 0, ruleset="r") is None


def counted(people: People) -> Packed | None:
    found = people_of(*EVERYONE, limit=100)
    row = found.ids.index(people.patient.pk)
    ruleset = found.rulesets[row]
    if ruleset is None:
        assert people.patient.pk in found.others()
        return None
    windows = found.windows([row])
    assert windows.patient_ids == (people.patient.pk,)
    return packed_of(windows, 0, ruleset=ruleset)


def is_current(people: People) -> bool:
    """Whether what counts is what the rows say."""
    packed, patient = counted(people), people.patient.pk
    windows = load_windows(latest_days([patient]))
    return packed is not None and packed == packed_of(windows, 0, ruleset=packed.ruleset)


def assessed(people: People, days: int = 12) -> None:
    for day in range(days):
        report(people, now=at(day), mood=6, craving=day % 4, sleep_hours=Decimal("7.25"))
    assess_due(now=at(days - 1, 23))


def test_the_worker_keeps_what_it_judged_and_a_new_day_makes_it_not_count(people: People) -> None:
    assessed(people)
    assert is_current(people)
    report(people, now=at(12), mood=1)
    assert counted(people) is None
    assess_due(now=at(12, 23))
    assert is_current(people)


def test_taking_back_and_a_late_day_do_as_well(people: People) -> None:
    assessed(people)
    last = CheckIn.objects.latest("local_date")
    with transaction.atomic():
        withdraw_check_in(actor=Actor.system("test"), check_in=last, now=at(12))
    assert counted(people) is None
    assess_due(now=at(12, 23))
    assert is_current(people)
    for one in CheckIn.objects.filter(withdrawn_at=None):
        with transaction.atomic():
            withdraw_check_in(actor=Actor.system("test"), check_in=one, now=at(13))
    assess_due(now=at(13, 23))
    assert not PackedWindow.objects.exists()


def test_a_sweep_keeps_what_nobody_has_and_uses_what_is_kept(people: People) -> None:
    assessed(people)
    PackedWindow.objects.all().delete()
    assert sweep_range(*EVERYONE, now=at(12)) > 1
    assert is_current(people)
    before = PackedWindow.objects.get()
    sweep_range(*EVERYONE, now=at(13))
    assert PackedWindow.objects.get() == before


def test_of_whom_no_assessment_speaks_none_is_kept(people: People) -> None:
    report(people, now=at(0), mood=6)
    AssessmentRequest.objects.all().delete()
    pack_windows([people.patient.pk])
    assert not PackedWindow.objects.exists()


def test_a_difference_is_found_and_mended(people: People) -> None:
    assessed(people)
    told = StringIO()
    call_command("verify_windows", stdout=told)
    assert "0 differ" in told.getvalue()
    CheckIn.objects.filter(mood=6).update(mood=5)  # past every door
    assert differing([people.patient.pk]) == [people.patient.pk]
    with pytest.raises(CommandError, match="1 differ"):
        call_command("verify_windows", stdout=told)
    call_command("verify_windows", "--rebuild", stdout=told)
    assert differing([people.patient.pk]) == []
    assert counted(people) is None  # the assessment is of other days, so none is kept


@pytest.mark.parametrize("moment", ["claim_requests", "load_windows", "judge"])
def test_a_check_in_while_the_worker_packs_leaves_nothing_old_that_counts(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    assessed(people)
    report(people, now=at(12), mood=6)

    def meanwhile() -> None:
        def other() -> None:
            report(people, now=at(12, 21), mood=0)
            connections.close_all()

        thread = threading.Thread(target=carried(other))
        thread.start()
        thread.join()

    real = getattr(assessments, moment)

    def interrupted(*args: object, **options: object) -> object:
        result = real(*args, **options)
        meanwhile()
        return result

    monkeypatch.setattr(assessments, moment, interrupted)
    assess_due(now=at(12, 22))
    monkeypatch.setattr(assessments, moment, real)
    assert counted(people) is None
    assess_due(now=at(12, 23))
    assert is_current(people)


def test_a_sweep_does_not_put_old_days_over_the_worker_s(
    committed_db: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    assessed(people)
    PackedWindow.objects.all().delete()
    done = threading.Event()
    threads: list[threading.Thread] = []

    def worker() -> None:
        report(people, now=at(12), mood=0)
        assess_due(now=at(12, 23))
        done.set()
        connections.close_all()

    def interrupted(ends: dict[UUID, date]) -> Windows:
        windows = load_windows(ends)
        if not threads:
            threads.append(threading.Thread(target=carried(worker)))
            threads[0].start()
            done.wait(0.3)  # it must not get through while this person is held
        return windows

    monkeypatch.setattr("backend.tracking.packing_rows.load_windows", interrupted)
    pack_windows([people.patient.pk])
    threads[0].join()
    assert is_current(people)


def test_a_lost_lease_keeps_nothing(people: People) -> None:
    assessed(people)
    kept = PackedWindow.objects.get().days
    with transaction.atomic():
        request_assessment(patient_id=people.patient.pk, since=START, now=at(12))
    (first,) = assessing.claim_requests(now=at(12))
    (second,) = assessing.claim_requests(now=at(13))
    with transaction.atomic():
        assessing.finish_request(first, Packed(START, b"old", "r"))
    assert counted(people) is None
    assert PackedWindow.objects.get().days == kept
    with transaction.atomic():
        assessing.finish_request(second, None)
    assert not PackedWindow.objects.exists()


def test_who_took_back_the_last_day_is_packed_by_a_sweep_as_well(people: People) -> None:
    assessed(people)
    last = CheckIn.objects.latest("local_date")
    with transaction.atomic():
        withdraw_check_in(actor=Actor.system("test"), check_in=last, now=at(12))
    assess_due(now=at(12, 23))
    PackedWindow.objects.all().delete()
    sweep_range(*EVERYONE, now=at(13))
    assert is_current(people)


@pytest.mark.parametrize("days", [1, 30, WINDOW_DAYS, WINDOW_DAYS + 9])
def test_what_a_page_shows_is_what_the_rows_say(people: People, days: int) -> None:
    assessed(people)
    other = replace(people, patient=people.other_patient)
    for day in range(4):
        report(other, now=at(day), mood=day, craving=2)
    ids = [people.patient.pk, people.other_patient.pk]
    packed = {patient_id: one.packed for patient_id, one in standings(ids).items()}
    assert packed[people.patient.pk] is not None
    assert packed[people.other_patient.pk] is None
    last = at(11).date()
    for ahead in (-200, -95, -61, -60, -30, -1, 0, 1, 29, 89, 90, 91, 200):
        ends = dict.fromkeys(ids, last + timedelta(days=ahead))
        shown, rows = windows_up_to(ends, packed, days=days), load_windows(ends, days=days)
        assert set(shown.patient_ids) == set(ids)
        for row, patient_id in enumerate(rows.patient_ids):
            place = shown.patient_ids.index(patient_id)
            assert shown.as_of[place] == rows.as_of[row]
            for name in COLUMNS:
                np.testing.assert_array_equal(shown.raw[name][place], rows.raw[name][row])


def test_nobody_s_check_ins_are_read_whose_packed_window_counts(people: People) -> None:
    assessed(people)
    CheckIn.objects.update(mood=9)  # past every door
    found = standings([people.patient.pk])[people.patient.pk]
    windows = windows_up_to(
        {people.patient.pk: at(11).date()}, {people.patient.pk: found.packed}, days=30
    )
    assert set(windows.raw["mood"][0][-12:]) == {6}


def test_a_new_day_is_seen_on_the_page_before_the_worker_packs_it(people: People) -> None:
    assessed(people)
    report(people, now=at(12), mood=1)
    found = standings([people.patient.pk])[people.patient.pk]
    assert found.packed is None
    assert found.last_on == at(12).date()
    assess_due(now=at(12, 23))
    found = standings([people.patient.pk])[people.patient.pk]
    assert found.packed is not None
    assert found.last_on == found.packed.last_on == at(12).date()


def test_what_was_said_of_a_day_that_was_taken_back_is_said_no_more(people: People) -> None:
    patient = people.patient.pk
    assessed(people)
    report(people, now=at(12), mood=5)
    assess_due(now=at(12, 23))
    Assessment.objects.filter(as_of_on=at(12).date()).update(trend="worsening")
    assert standings([patient])[patient].trend == "worsening"
    last = CheckIn.objects.latest("local_date")
    with transaction.atomic():
        withdraw_check_in(actor=Actor.system("test"), check_in=last, now=at(13))
    for _moment in ("before the worker", "after it"):
        found, latest = standings([patient])[patient], latest_assessment(patient)
        assert latest is not None
        assert latest.as_of_on == found.last_on == at(11).date()
        assert found.trend == latest.trend != "worsening"
        assess_due(now=at(13, 23))
    with transaction.atomic():
        for one in CheckIn.objects.filter(withdrawn_at=None):
            withdraw_check_in(actor=Actor.system("test"), check_in=one, now=at(14))
    assert latest_assessment(patient) is None
    assert standings([patient])[patient] == Standing(None, "unknown", {})
