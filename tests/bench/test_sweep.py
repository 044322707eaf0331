"""Ours and the stock way find the same of everyone, and a difference is seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from backend.accounts.models import Patient
from backend.intake.demo import seed_cohort
from backend.tracking.models import Assessment
from bench.stock import sweep as stock
from bench.sweep import judge_anew, our_sweep, require_equal

NOW = datetime(2026, 3, 18, 19, 30, tzinfo=UTC)
PEOPLE = 20


@pytest.fixture
def cohort(db: None, tmp_path: Path) -> list[Patient]:
    call_command("seed_demo", "--state", str(tmp_path / "demo.json"))
    seed_cohort(now=NOW, people=PEOPLE, days=60)
    return list(Patient.objects.all())


def test_both_ways_find_the_same(cohort: list[Patient]) -> None:
    theirs = stock.sweep(cohort)
    assert len(theirs) >= PEOPLE - 1
    require_equal(judge_anew(), theirs)


def test_one_difference_is_enough_to_measure_nothing(cohort: list[Patient]) -> None:
    theirs = stock.sweep(cohort)
    first = next(iter(theirs))
    theirs[first] = stock.Found("another", nudged=False, flagged=False)
    with pytest.raises(SystemExit, match="differ"):
        require_equal(judge_anew(), theirs)


def test_the_product_s_own_takes_everyone_and_stores_nothing_twice(cohort: list[Patient]) -> None:
    active = sum(patient.is_active for patient in cohort)
    assert our_sweep(NOW) == active
    stored = Assessment.objects.count()
    assert our_sweep(NOW) == active
    assert Assessment.objects.count() == stored
