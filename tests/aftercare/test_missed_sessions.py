"""A missed session: outreach at the first one; with two missed check-ins, one flag until back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from backend.aftercare.explanations import explain_reasons
from backend.aftercare.missed_sessions import Held, has_passed, is_flagged, missed_run
from backend.aftercare.models import Alert, Nudge
from backend.aftercare.replaying import LivedDay, Load, RuleSet, replay
from backend.aftercare.services import assess_due, replay_patient
from backend.aftercare.services.alerts import choose_condition
from backend.aftercare.services.sweeping import sweep_range
from backend.aftercare.session_reads import missed_now
from backend.notifications.models import Notification
from backend.program.models import EpisodeOfCare, ProgramSession
from backend.tracking.sweeping import RANGES, ends_of
from tests.aftercare.reporting import report
from tests.dashboard.browsing import browser_of
from tests.people import People, actor_for, make_device
from tests.phones import Phone
from tests.program.attending import in_programme, kept, recorded

START = date(2025, 12, 1)
FIRST, LAST = ends_of(0)[0], ends_of(RANGES - 1)[1]
# Twenty days are too few for a habit of one's own: what opens, the missed session opened.
SHORT = 10


def day(number: int) -> date:
    return START + timedelta(days=number)


def at(number: int, hour: int = 22) -> datetime:
    return datetime.combine(day(number), time(hour), tzinfo=UTC)


def begin(people: People, *, answered: int = SHORT) -> EpisodeOfCare:
    """In the programme from the first day on, with a check-in a day."""
    people.patient.enrolled_at = at(0, 15)
    people.patient.save()
    for number in range(answered):
        report(people, now=at(number), mood=6)
    assess_due(now=at(answered, 0))
    return in_programme(people.patient, now=at(answered), days=answered + 5)


def session(people: People, number: int, status: str) -> ProgramSession:
    return kept(people.patient, at(number, 15), status, at=at(number, 19))


def sweep(number: int) -> None:
    sweep_range(FIRST, LAST, now=at(number, 14))


def answer(people: People, number: int) -> None:
    report(people, now=at(number), mood=6)
    assess_due(now=at(number) + timedelta(minutes=1))


def absences() -> list[Alert]:
    return list(Alert.objects.filter(condition="absence"))


# The flag ---------------------------------------------------------------------------------------


def test_a_session_and_two_check_ins_are_one_flag(people: People) -> None:
    make_device(people.therapist.user)
    begin(people)
    session(people, SHORT, "missed")
    found = []
    for number in range(SHORT, SHORT + 5):
        sweep(number)
        found.append(len(absences()))
    # Nothing on the day itself, nor after one check-in; on the morning after the second one.
    assert found == [0, 0, 1, 1, 1]
    (alert,) = absences()
    assert (alert.severity, alert.status, alert.round) == ("medium", "open", 1)
    assert (alert.first_on, alert.last_on) == (day(SHORT), day(SHORT + 3))
    assert Notification.objects.filter(kind="alert").count() == 1
    assert not Nudge.objects.exists()
    assert {
        language: explain_reasons(alert.reasons, language=language, today=day(SHORT + 4))
        for language in ("en", "es")
    } == {
        "en": ["Missed 1 session, on Thursday; no check-in for 4 days."],
        "es": ["Faltó a 1 sesión, el jueves; sin registros desde hace 4 días."],
    }


def test_without_a_missed_session_two_check_ins_are_nothing(people: People) -> None:
    begin(people)
    session(people, SHORT, "attended")
    session(people, SHORT + 1, "excused")
    for number in range(SHORT, SHORT + 5):
        sweep(number)
    assert absences() == []


def test_who_answers_is_not_flagged_for_the_session(people: People) -> None:
    begin(people)
    session(people, SHORT - 1, "missed")
    for number in range(SHORT, SHORT + 4):
        answer(people, number)
        sweep(number + 1)
    assert absences() == []


def test_an_answer_closes_it(people: People) -> None:
    begin(people)
    session(people, SHORT, "missed")
    sweep(SHORT + 2)
    answer(people, SHORT + 2)
    (alert,) = absences()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")


def test_the_next_session_closes_it_without_any_check_in(people: People) -> None:
    begin(people)
    session(people, SHORT, "missed")
    sweep(SHORT + 2)
    session(people, SHORT + 2, "excused")
    sweep(SHORT + 3)
    assert absences()[0].status == "open"
    session(people, SHORT + 3, "attended")
    sweep(SHORT + 4)
    (alert,) = absences()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")
    # It would take another missed session, not the silence that goes on.
    for number in range(SHORT + 5, SHORT + 8):
        sweep(number)
    assert absences()[0].status == "resolved"


def test_a_correction_closes_it(people: People) -> None:
    begin(people)
    missed = session(people, SHORT, "missed")
    sweep(SHORT + 2)
    recorded(missed, "excused", now=at(SHORT + 2, 20))
    sweep(SHORT + 3)
    (alert,) = absences()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")


def test_a_second_session_updates_it_and_opens_no_other(people: People) -> None:
    begin(people)
    session(people, SHORT, "missed")
    sweep(SHORT + 2)
    session(people, SHORT + 2, "missed")
    sweep(SHORT + 3)
    (alert,) = absences()
    (said,) = explain_reasons(alert.reasons, language="en", today=day(SHORT + 3))
    assert said == "Missed 2 sessions in a row, the last one on Saturday; no check-in for 3 days."
    (said,) = explain_reasons(alert.reasons, language="es", today=day(SHORT + 3))
    assert said.startswith("Faltó a 2 sesiones seguidas, la última el sábado;")


def test_who_never_checked_in_is_missed_as_well(people: People) -> None:
    people.patient.enrolled_at = at(0, 15)
    people.patient.save()
    in_programme(people.patient, now=at(0), days=1)
    session(people, 1, "missed")
    sweep(1)
    assert absences() == []
    sweep(2)
    (alert,) = absences()
    assert (alert.first_on, alert.last_on) == (day(0), day(1))
    answer(people, 2)
    assert absences()[0].status == "resolved"


def test_who_has_no_account_is_asked_for_nothing(people: People) -> None:
    people.patient.enrolled_at = None
    people.patient.save()
    in_programme(people.patient, now=at(0), days=1)
    session(people, 1, "missed")
    for number in range(1, 6):
        sweep(number)
    assert absences() == []


def test_who_left_monitoring_is_not_flagged(people: People, phone: Phone) -> None:
    begin(people)
    session(people, SHORT, "missed")
    assert phone.post("/me/leave-monitoring").status_code == 200
    for number in range(SHORT, SHORT + 4):
        sweep(number)
    assert absences() == []


# The daily list ---------------------------------------------------------------------------------


def caseload(people: People) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Phone.of(people.therapist.user).get("/patients").json()["results"]
    return found


def test_outreach_starts_at_the_first_missed_session(people: People) -> None:
    now = datetime.now(UTC)
    in_programme(people.patient, now=now, days=60)
    assert caseload(people)[0]["missed_sessions"] == 0
    missed = kept(people.patient, now - timedelta(hours=2), "missed", at=now)
    (line,) = caseload(people)
    assert (line["missed_sessions"], line["open_alerts"]) == (1, 0)
    assert line["reason"].startswith("Missed 1 session, on ")
    page = browser_of(people.therapist.user).get("/desk/").content.decode()
    assert "To reach out to" in page and "Missed 1 session, on " in page
    assert not Alert.objects.exists() and not Nudge.objects.exists()
    recorded(missed, "attended", now=now)
    assert caseload(people)[0]["missed_sessions"] == 0


def test_an_old_one_is_no_work_any_more(people: People) -> None:
    now = datetime.now(UTC)
    in_programme(people.patient, now=now, days=60)
    kept(people.patient, now - timedelta(days=30), "missed", at=now - timedelta(days=30))
    assert caseload(people)[0]["missed_sessions"] == 0
    assert missed_now({people.patient.pk: "America/New_York"}, now=now)


def test_who_missed_stands_above_who_is_only_silent(people: People) -> None:
    now = datetime.now(UTC)
    in_programme(people.patient, now=now, days=60)
    kept(people.patient, now - timedelta(hours=2), "missed", at=now)
    lines = Phone.of(people.on_call.user).get("/patients").json()["results"]
    assert [line["missed_sessions"] for line in lines] == [1, 0]


# The replay -------------------------------------------------------------------------------------


def flags(people: People, now: datetime) -> list[tuple[date, str]]:
    found = replay_patient(
        actor=actor_for(people.therapist.user),
        patient_id=people.patient.pk,
        rules=RuleSet(),
        now=now,
    )
    return [(each.on, each.reason) for each in found.said if each.load is Load.FLAG]


def test_a_replay_counts_it_once_on_the_day_it_was_known(people: People) -> None:
    begin(people)
    session(people, SHORT, "missed")
    for number in range(SHORT, SHORT + 5):
        sweep(number)
    assert flags(people, at(SHORT + 5)) == [(day(SHORT + 1), "missed_session")]
    # What was recorded late was not known before.
    late = kept(people.patient, at(SHORT - 2, 15), "attended", at=at(SHORT + 5))
    assert flags(people, at(SHORT + 6)) == [(day(SHORT + 1), "missed_session")]
    recorded(late, "missed", now=at(SHORT + 6))
    assert len(absences()) == 1


def lived(answers: str, missed: dict[int, tuple[int, ...]]) -> list[LivedDay]:
    """A day a letter, `x` with a check-in; the sessions missed in a row from a day on."""
    found: list[LivedDay] = []
    answered, run = day(-1), tuple[int, ...]()
    for number, mark in enumerate(answers):
        answered = day(number) if mark == "x" else answered
        run = missed.get(number, run)
        days = tuple(map(day, run))
        found.append(LivedDay(day(number), None, answered_on=answered, missed=days))
    return found


@pytest.mark.parametrize(
    ("answers", "missed", "said"),
    [
        ("xx.....", {2: (2,)}, [3]),
        ("xx.....", {}, []),
        ("xxxxxxx", {2: (2,)}, []),
        ("xx.x.x.", {2: (2,)}, []),
        ("..xxxxxxxxxx..", {0: (0,), 5: (), 11: (11,)}, [1, 13]),
        ("..........", {0: (0,), 3: ()}, [1]),
    ],
)
def test_a_walk_says_it_once_until_they_are_back(
    answers: str, missed: dict[int, tuple[int, ...]], said: list[int]
) -> None:
    found = replay(lived(answers, missed), choose=choose_condition)
    assert [each.on for each in found] == [day(number) for number in said]
    assert {each.reason for each in found} <= {"missed_session"}


# The rule, without anything ---------------------------------------------------------------------


def held(number: int, *, missed: bool = True, known: int | None = None) -> Held:
    return Held(day(number), day(number if known is None else known), missed)


def test_a_run_is_of_what_was_known_and_ends_with_an_attended_one() -> None:
    sessions = [held(0), held(3), held(5, missed=False, known=9), held(8)]
    assert missed_run(sessions, by=day(4)) == (day(0), day(3))
    assert missed_run(sessions, by=day(8)) == (day(0), day(3), day(8))
    assert missed_run(sessions, by=day(9)) == (day(8),)
    assert missed_run(sessions, by=day(100)) == ()


def test_the_flag_takes_both() -> None:
    for silent, ago, flagged in ((1, 0, False), (2, 0, True), (2, 14, True), (9, 15, False)):
        assert is_flagged([day(0)], silent_days=silent, on=day(ago)) is flagged
    assert not is_flagged([], silent_days=9, on=day(0))


def test_time_alone_ends_nothing() -> None:
    assert not has_passed((), session_on=day(0), on=day(90))
    assert not has_passed((day(0),), session_on=day(0), on=day(20))
    assert has_passed((day(9),), session_on=day(0), on=day(20))
