"""What a rule set would have done: one person's days walked through again, in order. Pure.

It follows the services that act live, with two things that nobody knows of the past: when somebody
would have closed an acute alert (evidence of its condition within a week joins it, as with imported
history), and what was held back for want of a phone or a consent (nothing is).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from backend.aftercare.decision_rules import Match, Rule, Severity, Thresholds
from backend.aftercare.episodes import REOPENS_WITHIN, Day, is_over
from backend.aftercare.missed_sessions import has_passed, is_flagged
from backend.aftercare.policy import FLAG_INTERVAL, NUDGE_BUDGET
from backend.notifications.budgets import Spent, is_spent

MONTH_DAYS = 30
WEEK = timedelta(days=7)
NUDGED_RULES = frozenset({Rule.CONFIDENCE, Rule.SHORT_SLEEP})


class Load(StrEnum):
    """Who is asked for what: the acute answer, the therapist's flag, the nudge to the patient."""

    ACUTE = "acute"
    FLAG = "flag"
    NUDGE = "nudge"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What may be tried: loads wanted of the trend, thresholds of the acute rules, a surprise."""

    nudges_per_month: float = 1.0
    flags_per_month: float = 0.25
    thresholds: Thresholds = field(default_factory=Thresholds)
    surprise_limit: float = 4.0


Choose = Callable[[Sequence[Match], Iterable[str]], str]
"""The one condition that a check-in with several matches counts towards."""


@dataclass(frozen=True, slots=True)
class LivedDay:
    """One day as it was known that evening.

    `acute` holds the matches of each check-in that had any. `trend` is None on a day without a
    daily check-in, when nothing was judged. `answered_on` is the last day with one, or the day
    before the first that was asked for; `is_absent` says that the silence since is long for this
    person. `missed` are the sessions missed since the last attended one. `is_over` is false of a
    day that still runs: whoever has not answered yet may do so.
    """

    on: date
    trend: Day | None
    acute: tuple[tuple[Match, ...], ...] = ()
    answered_on: date | None = None
    is_absent: bool = False
    missed: tuple[date, ...] = ()
    is_over: bool = True

    @property
    def is_missed(self) -> bool:
        """Whether a missed session and the silence together take a flag."""
        if self.answered_on is None or not self.is_over:
            return False
        silent_days = (self.on - self.answered_on).days
        return is_flagged(self.missed, silent_days=silent_days, on=self.on)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that would have been said. `renews` says that an earlier one came back."""

    on: date
    load: Load
    reason: str
    severity: Severity
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """How much of one reason, in all and per patient-month."""

    load: Load
    reason: str
    count: int
    per_month: float


def replay(days: Iterable[LivedDay], *, choose: Choose) -> list[Happening]:
    """Everything that would have been said, in order. The days come in order, without gaps."""
    walk = _Walk(choose)
    for day in days:
        walk.live(day)
    return walk.said


def totals(said: Sequence[Happening], *, patient_days: int) -> list[Total]:
    """By load and reason, the most frequent first."""
    counts: dict[tuple[Load, str], int] = {}
    for each in said:
        counts[each.load, each.reason] = counts.get((each.load, each.reason), 0) + 1
    return [
        Total(load, reason, count, per_month(count, patient_days))
        for (load, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1]))
    ]


def per_month(count: int, patient_days: int) -> float:
    """Per 30 days of one patient."""
    return round(count * MONTH_DAYS / max(patient_days, 1), 4)


@dataclass(slots=True)
class _Standing:
    """An alert that is open: its first day, its last, and whether it still lasts.

    `session_on` is the missed session that its reason names.
    """

    first_on: date
    last_on: date
    lasts: bool = True
    session_on: date | None = None


@dataclass(slots=True)
class _Walk:
    choose: Choose
    said: list[Happening] = field(default_factory=list)
    acute: dict[str, date] = field(default_factory=dict)
    flags: dict[str, _Standing] = field(default_factory=dict)
    flagged_on: date = date.min
    nudges: list[tuple[date, str]] = field(default_factory=list)

    def live(self, day: LivedDay) -> None:
        for matches in day.acute:
            self._alert(day.on, matches)
        self._follow_absence(day)
        if day.trend is not None:
            self._follow_trend(day.trend)
            if day.trend.nudged and not self._has_acute(day.on):
                self._nudge(day.on, "worsening")

    def _alert(self, on: date, matches: Sequence[Match]) -> None:
        standing = {name for name, last in self.acute.items() if on - last <= FLAG_INTERVAL}
        condition = self.choose(matches, standing)
        severity = max((match.severity for match in matches), key=lambda s: s.rank)
        self.acute[condition] = on
        self._say(on, Load.ACUTE, condition, severity, renews=condition in standing)
        nudged = [match.rule for match in matches if match.rule in NUDGED_RULES]
        if severity is Severity.MEDIUM and nudged:
            self._nudge(on, nudged[0].value)

    def _has_acute(self, on: date) -> bool:
        return any(on - last <= FLAG_INTERVAL for last in self.acute.values())

    def _follow_trend(self, day: Day) -> None:
        standing = self.flags.get("worsening")
        if standing is None or not standing.lasts:
            if day.flagged:
                self._flag(day.on, "worsening", first_on=day.on)
        elif day.nudged:
            standing.last_on = day.on
        elif is_over(day, ended_on=standing.last_on):
            standing.lasts = False

    def _follow_absence(self, day: LivedDay) -> None:
        standing = self.flags.get("absence")
        if standing is not None and standing.lasts:
            if self._is_back(day, standing):
                standing.lasts = False
                return
            standing.last_on = day.on
        elif day.answered_on is not None and (day.is_absent or day.is_missed):
            reason = "absence" if day.is_absent else "missed_session"
            first_on = day.answered_on + timedelta(days=1)
            self._flag(day.on, "absence", first_on=first_on, reason=reason)
            standing = self.flags.get("absence")
        if standing is not None and standing.lasts:
            standing.session_on = day.missed[-1] if day.missed else None

    def _is_back(self, day: LivedDay, standing: _Standing) -> bool:
        if day.answered_on is not None and day.answered_on >= standing.first_on:
            return True
        return (
            standing.session_on is not None
            and not (day.is_absent or day.is_missed)
            and has_passed(day.missed, session_on=standing.session_on, on=day.on)
        )

    def _flag(self, on: date, condition: str, *, first_on: date, reason: str = "") -> None:
        if self.flagged_on != date.min and on - self.flagged_on < FLAG_INTERVAL:
            return
        before = self.flags.get(condition)
        renews = before is not None and on - before.last_on <= REOPENS_WITHIN
        self.flags[condition] = _Standing(first_on, on)
        self.flagged_on = on
        self._say(on, Load.FLAG, reason or condition, Severity.MEDIUM, renews=renews)

    def _nudge(self, on: date, kind: str) -> None:
        week = [(at, what) for at, what in self.nudges if on - at < WEEK]
        today = sum(at == on for at, _what in week)
        said_already = any(what == kind for _at, what in week)
        if said_already or is_spent(NUDGE_BUDGET, Spent(today, len(week))):
            return
        self.nudges.append((on, kind))
        self._say(on, Load.NUDGE, kind, Severity.MEDIUM)

    def _say(
        self, on: date, load: Load, reason: str, severity: Severity, *, renews: bool = False
    ) -> None:
        self.said.append(Happening(on, load, reason, severity, renews))
