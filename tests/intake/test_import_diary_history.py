"""Imported days are history: as of their day, told to nobody, the ground of what comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from backend.accounts import services as accounts
from backend.accounts.actor import Actor
from backend.accounts.models import Patient, User
from backend.aftercare import services as aftercare
from backend.aftercare.models import Alert, AlertEvidence, Nudge
from backend.notifications.models import Notification
from backend.tracking.models import Assessment, AssessmentRequest, CheckIn
from tests.intake.import_diary_files import (
    GOOD,
    LOW,
    LOWEST,
    MIDDLE,
    NEW_YORK,
    Import,
    counted,
    row,
)
from tests.people import PASSWORD, People, make_device
from tests.phones import Phone, check_in_body
from tests.worker.processes import ROOT, wait_for

ACTOR = Actor.system("test")


@pytest.fixture
def diary(people: People, tmp_path: Path) -> Import:
    make_device(people.therapist.user)
    return Import(tmp_path, people.organisation, {"therapist": people.therapist.user.email})


def days(who: str, feelings: Sequence[tuple[int, int]], *, first: int = 1) -> list[list[object]]:
    return [row(who, first + index, feeling) for index, feeling in enumerate(feelings)]


def wave(length: int) -> list[tuple[int, int]]:
    """An ordinary life: moods of 7, 8 and 7."""
    return [((1, 0), GOOD, (1, 0))[index % 3] for index in range(length)]


def patient_of(who: str) -> Patient:
    return Patient.objects.get(external_ref=f"evening:{who}")


def alerts_of(who: str, condition: str) -> list[Alert]:
    found = Alert.objects.filter(patient=patient_of(who), condition=condition)
    return list(found.order_by("first_on"))


def run_worker() -> None:
    now = datetime.now(UTC)
    aftercare.assess_due(now=now)
    aftercare.escalate_due(now=now)


def test_nobody_is_told_whatever_the_history_says(diary: Import) -> None:
    falling = [*wave(50), *[MIDDLE] * 4, *[LOW] * 4, *[LOWEST] * 6]
    diary.write([*days("a", falling), *days("b", [LOWEST] * 3)])
    diary.run()
    run_worker()
    assert Alert.objects.filter(is_historical=True).count() >= 3
    assert not Alert.objects.exclude(status="resolved", outcome="historical").exists()
    assert not Notification.objects.exists()
    assert not Nudge.objects.exists()
    assert not AssessmentRequest.objects.exists()


def test_a_request_that_a_phone_left_before_stays(people: People, diary: Import) -> None:
    diary.write(days("a", wave(20)))
    diary.run()
    assert Phone.of(enrol("a")).post("/check-ins", check_in_body(mood=7)).status_code == 201
    diary.write(days("a", wave(21), first=0))  # one more, before all others
    assert counted(diary.run())["stored now"] == 1
    assert AssessmentRequest.objects.filter(patient=patient_of("a")).exists()


def test_sixty_low_days_running_are_one_historical_alert(diary: Import) -> None:
    diary.write(days("a", [LOWEST] * 60))
    diary.run()
    (alert,) = alerts_of("a", "mood")
    assert (alert.status, alert.outcome, alert.is_historical) == ("resolved", "historical", True)
    assert alert.last_on - alert.first_on == timedelta(days=59)
    assert alert.severity == "high"
    assert len(alert.reasons) == 60
    assert AlertEvidence.objects.filter(alert=alert).count() == 60
    assert alert.opened_at.astimezone(NEW_YORK).date() == alert.first_on
    assert alert.evidence_at.astimezone(NEW_YORK).date() == alert.last_on


@pytest.mark.parametrize(("gap", "alerts"), [(7, 1), (8, 2)])
def test_evidence_joins_within_a_week_of_the_last(diary: Import, gap: int, alerts: int) -> None:
    diary.write(days("a", [LOWEST, *[GOOD] * (gap - 1), LOWEST]))
    diary.run()
    assert len(alerts_of("a", "mood")) == alerts


def test_earlier_days_that_come_later_join_as_well(diary: Import) -> None:
    diary.write(days("a", [LOWEST] * 3, first=10))
    diary.run()
    (before,) = alerts_of("a", "mood")
    diary.write([*days("a", [LOWEST] * 3, first=10), *days("a", [LOWEST], first=5)])
    diary.run()
    (after,) = alerts_of("a", "mood")
    assert after.pk == before.pk
    assert after.first_on == before.first_on - timedelta(days=5)
    assert after.last_on == before.last_on
    assert [reason["on"] for reason in after.reasons] == sorted(r["on"] for r in after.reasons)


def test_two_conditions_and_two_people_stay_apart(diary: Import) -> None:
    diary.write(
        [row("a", 1, LOWEST), row("a", 2, GOOD, 3), row("a", 3, GOOD, 3), row("b", 1, LOWEST)]
    )
    diary.run()
    assert len(alerts_of("a", "mood")) == len(alerts_of("a", "sleep")) == 1
    assert len(alerts_of("b", "mood")) == 1


def test_a_decline_of_the_past_has_its_reason_for_the_care_team(
    people: People, diary: Import
) -> None:
    diary.write(days("a", [*wave(50), *[LOW] * 14, *wave(20)]))
    printed = counted(diary.run())
    (alert,) = alerts_of("a", "worsening")
    last = datetime.now(UTC).date() - timedelta(days=1)
    assert last - timedelta(days=36) <= alert.first_on <= last - timedelta(days=20)
    assert printed["historical alerts"] == Alert.objects.filter(is_historical=True).count()
    path = f"/patients/{patient_of('a').pk}/alerts"
    shown = json.loads(Phone.of(people.therapist.user).get(path).content)["results"]
    (worsening,) = [one for one in shown if one["condition"] == "worsening"]
    assert worsening["is_historical"]
    assert "mood below the usual 7 to 8" in worsening["reasons"][0]
    assert Phone.of(people.stranger.user).get(path).status_code == 404
    before = Alert.objects.count()
    diary.run()
    assert Alert.objects.count() == before


def test_everyone_has_a_trend_or_an_honest_unknown(people: People, diary: Import) -> None:
    falling = [*wave(50), *[LOW] * 10]
    diary.write([*days("a", wave(60)), *days("b", falling), *days("c", wave(9), first=52)])
    printed = counted(diary.run())
    found = {who: Assessment.objects.get(patient=patient_of(who)).trend for who in "abc"}
    assert found == {"a": "steady", "b": "worsening", "c": "unknown"}
    assert [printed[f"trend {trend}"] for trend in ("steady", "worsening", "unknown")] == [1, 1, 1]


def enrol(who: str) -> User:
    """An account for an imported patient, by the clinic's one-time code."""
    now = datetime.now(UTC)
    issued = accounts.issue_enrolment_code(actor=ACTOR, patient_id=patient_of(who).pk, now=now)
    accounts.enrol(
        code=issued.code,
        email=f"{who}@example.org",
        password=PASSWORD,
        born_on=date(1990, 1, 1),
        language="en",
        address="127.0.0.1",
        request_id="",
        now=now,
    )
    return User.objects.get(email=f"{who}@example.org")


def test_a_new_check_in_is_judged_against_the_imported_history(
    people: People, diary: Import
) -> None:
    # Both write the same today; for one of them it is the end of a decline, for the other it is
    # as it has always been.
    falling = [*wave(46), *[MIDDLE, (0, -1)] * 7]
    low_life = [MIDDLE, (0, -1)] * 30
    diary.write([*days("a", falling), *days("b", low_life)])
    diary.run()
    for who in "ab":
        answer = Phone.of(enrol(who)).post("/check-ins", check_in_body(mood=3))
        assert answer.status_code == 201
    aftercare.assess_due(now=datetime.now(UTC))
    latest = {
        who: Assessment.objects.filter(patient=patient_of(who)).latest("as_of_on") for who in "ab"
    }
    assert latest["a"].facts["signals"][0]["baseline"]["count"] >= 35
    assert (latest["a"].trend, latest["b"].trend) == ("worsening", "steady")
    (live,) = [alert for alert in alerts_of("a", "worsening") if not alert.is_historical]
    assert live.status == "open"
    assert not [alert for alert in alerts_of("b", "worsening") if not alert.is_historical]
    told = Notification.objects.filter(recipient=people.therapist.user)
    assert {row.patient_id for row in told} == {patient_of("a").pk}


def test_a_live_decline_makes_no_historical_alert_when_older_days_follow(diary: Import) -> None:
    diary.write(days("a", wave(60), first=2))
    diary.run()
    patient = patient_of("a")
    # As if the last fortnight had come from a phone.
    newest = CheckIn.objects.filter(patient=patient).order_by("-local_date")[:14]
    ids = [check_in.pk for check_in in newest]
    CheckIn.objects.filter(pk__in=ids).update(source="app", mood=1)
    diary.write([*days("a", wave(46), first=2), *days("a", [GOOD], first=1)])
    assert counted(diary.run())["stored now"] == 1
    assert alerts_of("a", "worsening") == []


def test_killed_in_the_middle_the_rest_goes_in_at_the_next_start(
    committed_db: None, people: People, diary: Import
) -> None:
    who = [f"p{number:02}" for number in range(30)]
    diary.write([one for name in who for one in days(name, wave(60))])
    command = [
        *(sys.executable, "manage.py", "import_diary", str(diary.file), "--map", str(diary.map)),
        *("--organisation", str(people.organisation.pk)),
        *("--therapist", people.therapist.user.email),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "REDIS_URL": "none"}, stderr=subprocess.DEVNULL
    )
    try:
        assert wait_for(lambda: Patient.objects.filter(external_ref="evening:p01").exists())
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    there = Patient.objects.filter(external_ref__startswith="evening:")
    found = there.count()
    assert 1 < found < len(who)
    for patient in there:  # whole people, each judged
        assert patient.check_ins.count() == 60
        assert patient.assessments.count() == patient.care_team.count() == 1
    rest = counted(diary.run())
    assert (rest["stored now"], rest["already there"]) == ((30 - found) * 60, found * 60)
    assert there.all().count() == 30
    assert CheckIn.objects.filter(source="import").count() == 1800
    assert "Nothing changed" in diary.run()
    assert not Notification.objects.exists()


@pytest.mark.skipif(
    not os.environ.get("HANDRAIL_EVALUATION_DATA"),
    reason="HANDRAIL_EVALUATION_DATA names no folder with the open data sets",
)
def test_real_diaries_of_43_people(people: People, tmp_path: Path) -> None:
    file = Path(os.environ["HANDRAIL_EVALUATION_DATA"]) / "jang2024" / "jang_ts.tsv.gz"
    if not file.exists():
        pytest.skip("HANDRAIL_EVALUATION_DATA has no jang2024/jang_ts.tsv.gz")
    real = Real(tmp_path, people.organisation, {"therapist": people.therapist.user.email})
    first = counted(real.run())
    assert [first[name] for name in ("people", "rows", "reported days", "stored now")] == [
        *(43, 3969, 3196, 3196),
    ]
    assert (first["unreported days"], first["bad rows"]) == (773, 0)
    assert first["trend worsening"] + first["trend steady"] > 0
    assert Patient.objects.filter(external_ref__startswith="jang2024:").count() == 43
    assert "Nothing changed" in real.run()
    run_worker()
    assert not Notification.objects.exists()


class Real(Import):
    """The published file under the mapping that comes with the project."""

    @property
    def file(self) -> Path:
        return Path(os.environ["HANDRAIL_EVALUATION_DATA"]) / "jang2024" / "jang_ts.tsv.gz"

    @property
    def map(self) -> Path:
        return ROOT / "examples" / "diaries" / "jang2024.toml"
