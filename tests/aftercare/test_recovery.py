"""A decline's alert ends by recovery, re-opens when it comes back, and is never doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from backend.aftercare.episodes import Day, Episode, episodes
from backend.aftercare.models import Alert, AlertAct
from backend.aftercare.services import assess_due
from backend.notifications.models import Notification
from tests.aftercare.reporting import report
from tests.aftercare.test_worsening import START, declining, steady
from tests.people import People, make_device

WELL = steady(60, seed=11)
ILL = {"mood": 3, "craving": 7, "sleep_hours": 5.0}


def live(people: People, days: list[dict[str, Any] | None], *, start: date = START) -> date:
    """Each day's check-in, received and evaluated on its evening; None is a day without one."""
    for index, items in enumerate(days):
        now = datetime.combine(start + timedelta(days=index), time(22), tzinfo=UTC)
        if items is not None:
            report(people, now=now, **items)
            assess_due(now=now + timedelta(seconds=1))
    return start + timedelta(days=len(days))


def marks(*words: str) -> list[Day]:
    """One day a word: F above the flag's limit, n above the nudge's, - below, ? unknown."""
    return [
        Day(START + timedelta(days=index), word == "F", word in "Fn", word != "?")
        for index, word in enumerate("".join(words))
    ]


def spans(*words: str) -> list[tuple[int, int, bool]]:
    return [
        ((e.began_on - START).days, (e.ended_on - START).days, e.is_over)
        for e in episodes(marks(*words))
    ]


def test_it_takes_the_flags_limit_to_begin_and_the_nudges_to_last() -> None:
    assert spans("--nnFn-n----") == [(4, 7, False)]


def test_it_is_over_after_a_week_below_both() -> None:
    assert spans("F-------F") == [(0, 0, True), (8, 8, False)]
    assert spans("F------n-------") == [(0, 7, True)]


def test_silence_is_no_recovery() -> None:
    assert spans("F" + "?" * 20) == [(0, 0, False)]


def test_swaying_about_the_limit_is_one_episode() -> None:
    assert len(list(episodes(marks("Fn-" * 20)))) == 1
    assert list(episodes(marks("n-n-"))) == []


def test_an_episode_knows_its_days() -> None:
    assert list(episodes(marks("F"))) == [Episode(START, START, is_over=False)]


def test_recovery_closes_the_alert_and_takes_back_what_was_not_sent(people: People) -> None:
    make_device(people.therapist.user)
    live(people, [*steady(45), *declining(14), *WELL[:32]])
    alert = Alert.objects.get()
    assert (alert.status, alert.outcome) == ("resolved", "recovered")
    assert (alert.resolved_by, alert.level_due_at) == (None, None)
    assert AlertAct.objects.get(alert=alert).kind == "recovered"
    assert not Notification.objects.filter(
        subject=f"alert:{alert.pk}", cancelled_at=None, settled_at=None
    ).exists()


def test_silence_leaves_it_open(people: People) -> None:
    live(people, [*steady(45), *declining(14), *[None] * 20])
    assert Alert.objects.get().status == "open"


def test_what_comes_back_soon_re_opens_the_same_alert_and_tells_once_more(people: People) -> None:
    make_device(people.therapist.user)
    end = live(people, [*steady(45), *declining(14)])
    alert = Alert.objects.get()
    alert.status, alert.outcome = "resolved", "recovered"
    alert.resolved_at = datetime.combine(end, time(1), tzinfo=UTC)
    alert.evidence_at -= timedelta(days=8)
    alert.save()
    live(people, [ILL, ILL, ILL], start=end)
    again = Alert.objects.get()
    assert (again.pk, again.status, again.round, again.outcome) == (alert.pk, "open", 2, "")
    assert again.acknowledged_at is None
    assert [act.kind for act in again.acts.all()] == ["renewed"]
    assert Notification.objects.filter(subject=f"alert:{alert.pk}").count() == 2


def test_it_does_not_tell_twice_within_a_week(people: People) -> None:
    end = live(people, [*steady(45), *declining(14)])
    alert = Alert.objects.get()
    alert.status, alert.outcome = "resolved", "recovered"
    alert.resolved_at = alert.evidence_at = datetime.combine(end, time(1), tzinfo=UTC)
    alert.save()
    live(people, [ILL, ILL, ILL], start=end)
    assert Alert.objects.get().status == "resolved"


def test_days_of_long_ago_open_nothing(people: People) -> None:
    days = [*steady(45), *declining(14)]
    late = datetime.combine(START + timedelta(days=len(days) + 8), time(22), tzinfo=UTC)
    for index, items in enumerate(days):
        on = datetime.combine(START + timedelta(days=index), time(22), tzinfo=UTC)
        report(people, now=late, local_date=on.date(), recorded_at=on, **items)
    assess_due(now=late)
    assert not Alert.objects.exists()
