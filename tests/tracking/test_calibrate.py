"""An organisation's own limits: proposed from those who agreed, looked at, then adopted."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from backend.accounts.models import AuditEvent, Organisation, Patient
from backend.tracking.adopted_limits import limits_in_use
from backend.tracking.models import AdoptedLimits, Assessment, CheckIn
from backend.tracking.simulation import Scenario, simulate
from backend.tracking.trends import RULESET, shipped_limits
from tests.people import People, make_organisation

TODAY = date(2025, 11, 20)
PEOPLE, DAYS = 60, 90


def call(*words: object) -> str:
    out = io.StringIO()
    call_command("calibrate", *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def history(people: People) -> Organisation:
    """People whose days come in longer stretches than the shipped limits were fitted on."""
    rng = np.random.default_rng(4)
    values = simulate(Scenario(size=0, signals=2), people=PEOPLE, days=DAYS // 2, rng=rng).values
    values = np.repeat(values, 2, axis=1)
    home = people.organisation
    patients = Patient.objects.bulk_create(
        Patient(
            organisation=home, given_name="P", country="US", time_zone="UTC", external_ref=f"r-{n}"
        )
        for n in range(PEOPLE)
    )
    days = (
        check_in(patient, day, values[row, day])
        for row, patient in enumerate(patients)
        for day in range(DAYS)
        if not np.isnan(values[row, day]).all()
    )
    CheckIn.objects.bulk_create(days, batch_size=1_000)
    return home


def check_in(patient: Patient, day: int, badness: Any) -> CheckIn:
    on = TODAY - timedelta(days=DAYS - 1 - day)
    at = datetime.fromisoformat(f"{on}T20:00:00+00:00")
    mood, craving = (None if np.isnan(value) else int(value) for value in badness)
    return CheckIn(
        id=uuid4(),
        patient=patient,
        kind="daily",
        local_date=on,
        recorded_at=at,
        received_at=at,
        utc_offset_minutes=0,
        content_digest=b"",
        mood=None if mood is None else 10 - mood,
        craving=craving,
    )


def agreed(folder: Path, count: int = PEOPLE) -> Path:
    path = folder / "refs.txt"
    path.write_text("".join(f"r-{n}\n" for n in range(count)))
    return path


def propose(home: Organisation, folder: Path) -> Path:
    out = folder / "limits.json"
    call(home.pk, "--consented", agreed(folder), "--out", out, "--days", DAYS)
    return out


def test_it_shows_what_would_change_and_changes_nothing(
    history: Organisation, tmp_path: Path
) -> None:
    shown = call(history.pk, "--consented", agreed(tmp_path), "--days", DAYS)
    flag = next(line.split() for line in shown.splitlines() if line.endswith("flag"))
    wanted, today, proposed = (float(word) for word in flag[:3])
    assert wanted == 0.25
    assert abs(proposed / wanted - 1) < abs(today / wanted - 1)
    assert not AdoptedLimits.objects.exists()
    assert limits_in_use({history.pk})[history.pk].limits is shipped_limits()
    event = AuditEvent.objects.get(action="limits.propose")
    assert event.facts["count"] == PEOPLE


def test_it_reads_only_those_who_agreed(history: Organisation, tmp_path: Path) -> None:
    shown = call(history.pk, "--consented", agreed(tmp_path, PEOPLE - 5), "--days", DAYS)
    assert shown.startswith(f"{PEOPLE - 5} people")
    with pytest.raises(CommandError, match="who agreed"):
        call(history.pk)


def test_too_few_people_are_refused(history: Organisation, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="19 people"):
        call(history.pk, "--consented", agreed(tmp_path, 19))


def test_another_organisations_patients_are_never_read(
    history: Organisation, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="0 people"):
        call(make_organisation("Elsewhere").pk, "--consented", agreed(tmp_path))


def test_what_is_adopted_holds_for_that_organisation_alone(
    history: Organisation, tmp_path: Path
) -> None:
    out, elsewhere = propose(history, tmp_path), make_organisation("Elsewhere")
    call(
        history.pk, "--adopt", out, "--by", "Sam Supervisor", "--reason", "Fewer", "--review-on",
        "2026-12-01",
    )  # fmt: skip
    row = AdoptedLimits.objects.get()
    assert (row.adopted_by, row.reason, row.review_on) == (
        "Sam Supervisor", "Fewer", date(2026, 12, 1),
    )  # fmt: skip
    found = limits_in_use({history.pk, elsewhere.pk})
    assert found[elsewhere.pk].ruleset == RULESET
    assert found[history.pk].ruleset.startswith(f"{RULESET}+")
    np.testing.assert_array_equal(
        found[history.pk].limits.by_signals, json.loads(out.read_text())["by_signals"]
    )
    assert AuditEvent.objects.filter(action="limits.adopt").count() == 1
    assert not Assessment.objects.exists()


def test_adopting_names_who_why_and_until_when(history: Organisation, tmp_path: Path) -> None:
    out = propose(history, tmp_path)
    with pytest.raises(CommandError, match="who decides"):
        call(history.pk, "--adopt", out, "--by", "Sam")
    assert not AdoptedLimits.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"provenance": {"organisation_id": "another"}}, "another organisation"),
        ({"by_signals": [[1.0, 0.5]]}, "a row"),
        ({"loads": None}, "not a file of limits"),
        ({"loads": [2.0, 1.5, 1.0, 0.75, 0.5, 0.25, 0.1, 0.05]}, "loads rise"),
    ],
)
def test_what_is_no_limits_of_theirs_is_refused(
    history: Organisation, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    out = propose(history, tmp_path)
    out.write_text(json.dumps({**json.loads(out.read_text()), **change}))
    with pytest.raises(CommandError, match=words):
        call(history.pk, "--adopt", out, "--by", "S", "--reason", "R", "--review-on", "2026-12-01")
    assert not AdoptedLimits.objects.exists()


def test_what_cannot_be_read_is_said(people: People, tmp_path: Path) -> None:
    bad, decided = (
        tmp_path / "bad.json",
        ("--by", "S", "--reason", "R", "--review-on", "2026-12-01"),
    )
    bad.write_text("limits")
    with pytest.raises(CommandError, match="Nothing is adopted"):
        call(people.organisation.pk, "--adopt", bad, *decided)
    with pytest.raises(CommandError, match="cannot be read"):
        call(people.organisation.pk, "--consented", tmp_path / "missing.txt")
    with pytest.raises(CommandError, match="no organisation"):
        call(uuid4(), "--consented", bad)
