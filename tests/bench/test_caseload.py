"""Ours and the stock way give the same page, on people with every kind of story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.demo import NAME
from backend.accounts.models import Clinician, Patient
from backend.aftercare.models import Alert
from backend.intake.demo import seed_cohort
from bench.caseload import our_page, plain, plain_stock, require_equal
from bench.stock.caseload import caseload_page

NOW = datetime(2026, 3, 18, 19, 30, tzinfo=UTC)
PEOPLE = 20


@pytest.fixture
def therapist(db: None, tmp_path: Path) -> Clinician:
    call_command("seed_demo", "--state", str(tmp_path / "demo.json"))
    seed_cohort(now=NOW, people=PEOPLE, days=60)
    return Clinician.objects.get(organisation__name=NAME)


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=3), timedelta(days=45)])
def test_both_ways_give_the_same_page(therapist: Clinician, later: timedelta) -> None:
    ours = plain(our_page(therapist, now=NOW + later))
    stock = plain_stock(caseload_page(therapist, language="en", now=NOW + later))
    assert len(ours) == PEOPLE
    require_equal(ours, stock)


def test_the_page_is_a_handful_of_queries_for_any_number_of_people(therapist: Clinician) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            our_page(therapist, now=NOW)
        return len(captured)

    before = queries()
    Patient.objects.filter(external_ref__gt="demo-10").update(discharged_at=NOW)
    assert queries() == before < 20


def test_one_difference_is_enough_to_measure_nothing(therapist: Clinician) -> None:
    ours = plain(our_page(therapist, now=NOW))
    Alert.objects.filter(is_historical=False).update(due_at=NOW)
    stock = plain_stock(caseload_page(therapist, language="en", now=NOW))
    with pytest.raises(SystemExit, match="differ"):
        require_equal(ours, stock)
    with pytest.raises(SystemExit, match="lines"):
        require_equal(ours, ours[1:])
