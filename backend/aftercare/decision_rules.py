"""The acute rules: what one check-in calls for, decided at once from the check-in alone.

Pure. Facts and `now` come in, matches come out. Fixed rules have no threshold; the defaults of
the others are an expert's and may be changed within floors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

VERSION = "acute-1"

LATE_AFTER = timedelta(hours=24)
ABSTINENT_RUN = timedelta(days=7)
DANGEROUS_SYMPTOMS = frozenset({"seizure", "confusion", "hallucination"})
DANGEROUS_SUBSTANCES = frozenset({"alcohol", "benzodiazepines"})

Value = int | float | str | list[str]


class Rule(StrEnum):
    NOT_SAFE = "not_safe"
    WITHDRAWAL_DANGEROUS = "withdrawal_dangerous"
    WITHDRAWAL = "withdrawal"
    LOW_MOOD = "low_mood"
    USE_REPORTED = "use_reported"
    CRAVING = "craving"
    CONFIDENCE = "confidence"
    SHORT_SLEEP = "short_sleep"


class Severity(StrEnum):
    """How soon somebody must look."""

    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


CONDITION: Mapping[Rule, str] = {
    Rule.NOT_SAFE: "safety",
    Rule.WITHDRAWAL_DANGEROUS: "withdrawal",
    Rule.WITHDRAWAL: "withdrawal",
    Rule.LOW_MOOD: "mood",
    Rule.USE_REPORTED: "use",
    Rule.CRAVING: "craving",
    Rule.CONFIDENCE: "confidence",
    Rule.SHORT_SLEEP: "sleep",
}


@dataclass(frozen=True, slots=True)
class AcuteFacts:
    """The items of one check-in that the rules read. None and empty mean: not answered."""

    not_safe: bool = False
    mood: int | None = None
    craving: int | None = None
    confidence: int | None = None
    sleep_hours: float | None = None
    use_reported: bool = False
    use_substances: frozenset[str] = frozenset()
    withdrawal_reported: bool = False
    withdrawal_substances: frozenset[str] = frozenset()
    withdrawal_symptoms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RecentFacts:
    """What the days around this one said.

    `nearby_moods` and `nearby_sleep_hours` are of the day before and the day after, because
    check-ins arrive in any order. `last_use_on` is the latest earlier day with use reported.
    """

    nearby_moods: tuple[int, ...] = ()
    nearby_sleep_hours: tuple[float, ...] = ()
    last_use_on: date | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Expert defaults. Ratings 0 to 10, sleep in hours."""

    craving: int = 8
    mood: int = 1
    mood_two_days: int = 2
    confidence: int = 3
    sleep_hours: float = 4.0


DEFAULTS = Thresholds()


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that holds. `facts` is what a sentence about it is rendered from."""

    rule: Rule
    severity: Severity
    facts: Mapping[str, Value] = field(default_factory=dict)

    @property
    def condition(self) -> str:
        return CONDITION[self.rule]

    def as_json(self) -> dict[str, object]:
        return {"rule": self.rule.value, "severity": self.severity.value, "facts": dict(self.facts)}


def match_acute_rules(
    facts: AcuteFacts,
    recent: RecentFacts,
    *,
    on: date,
    thresholds: Thresholds | None = None,
) -> tuple[Match, ...]:
    """Every rule that holds for a check-in about the day `on`, the most severe first."""
    limits = thresholds or DEFAULTS
    found = [rule(facts, recent, on, limits) for rule in _RULES]
    matches = [match for match in found if match is not None]
    return tuple(sorted(matches, key=lambda match: -match.severity.rank))


def needs_recent_facts(facts: AcuteFacts, thresholds: Thresholds | None = None) -> bool:
    """Whether the days around could change what matches; mostly they need not be read."""
    limits = thresholds or DEFAULTS
    return (
        facts.use_reported
        or (facts.mood is not None and limits.mood < facts.mood <= limits.mood_two_days)
        or (facts.sleep_hours is not None and facts.sleep_hours < limits.sleep_hours)
    )


def is_late(
    *,
    recorded_at: datetime,
    received_at: datetime,
    on: date,
    enrolled_at: datetime | None,
) -> bool:
    """Whether it arrived more than a day after it was written, or is about a day long past.

    A phone whose clock cannot be right (it reads later than now, or a day before the person
    enrolled) counts as writing now.
    """
    earliest = enrolled_at - LATE_AFTER if enrolled_at else None
    if recorded_at > received_at or (earliest is not None and recorded_at < earliest):
        return False
    if received_at - recorded_at > LATE_AFTER:
        return True
    return recorded_at.date() - on > timedelta(days=1)


def always_pages(matches: tuple[Match, ...]) -> bool:
    """Whether the ladder runs at any hour even when the check-in came late."""
    return any(match.rule is Rule.NOT_SAFE for match in matches)


# Each rule on its own, in the order in which ties are shown. --------------------------------------


def _not_safe(
    facts: AcuteFacts, _recent: RecentFacts, _on: date, _limits: Thresholds
) -> Match | None:
    return Match(Rule.NOT_SAFE, Severity.CRITICAL) if facts.not_safe else None


def _withdrawal(
    facts: AcuteFacts, _recent: RecentFacts, _on: date, _limits: Thresholds
) -> Match | None:
    if not (facts.withdrawal_reported or facts.withdrawal_symptoms or facts.withdrawal_substances):
        return None
    named: dict[str, Value] = {
        "substances": sorted(facts.withdrawal_substances),
        "symptoms": sorted(facts.withdrawal_symptoms),
    }
    is_dangerous = bool(
        facts.withdrawal_symptoms & DANGEROUS_SYMPTOMS
        or facts.withdrawal_substances & DANGEROUS_SUBSTANCES
    )
    if is_dangerous:
        return Match(Rule.WITHDRAWAL_DANGEROUS, Severity.CRITICAL, named)
    return Match(Rule.WITHDRAWAL, Severity.HIGH, named)


def _low_mood(
    facts: AcuteFacts, recent: RecentFacts, _on: date, limits: Thresholds
) -> Match | None:
    if facts.mood is None:
        return None
    if facts.mood <= limits.mood:
        return Match(Rule.LOW_MOOD, Severity.HIGH, {"value": facts.mood})
    nearby = [mood for mood in recent.nearby_moods if mood <= limits.mood_two_days]
    if facts.mood <= limits.mood_two_days and nearby:
        return Match(
            Rule.LOW_MOOD, Severity.HIGH, {"value": limits.mood_two_days, "days": 1 + len(nearby)}
        )
    return None


def _use(facts: AcuteFacts, recent: RecentFacts, on: date, _limits: Thresholds) -> Match | None:
    if not facts.use_reported:
        return None
    named: dict[str, Value] = {"substances": sorted(facts.use_substances)}
    if recent.last_use_on is None:
        # Nothing is known of an earlier use, so this may be the first after a long time.
        return Match(Rule.USE_REPORTED, Severity.HIGH, named)
    abstinent = on - recent.last_use_on
    if abstinent >= ABSTINENT_RUN:
        return Match(Rule.USE_REPORTED, Severity.HIGH, {**named, "abstinent_days": abstinent.days})
    return Match(Rule.USE_REPORTED, Severity.MEDIUM, named)


def _craving(
    facts: AcuteFacts, _recent: RecentFacts, _on: date, limits: Thresholds
) -> Match | None:
    if facts.craving is None or facts.craving < limits.craving:
        return None
    return Match(Rule.CRAVING, Severity.HIGH, {"value": facts.craving})


def _confidence(
    facts: AcuteFacts, _recent: RecentFacts, _on: date, limits: Thresholds
) -> Match | None:
    if facts.confidence is None or facts.confidence > limits.confidence:
        return None
    return Match(Rule.CONFIDENCE, Severity.MEDIUM, {"value": facts.confidence})


def _short_sleep(
    facts: AcuteFacts, recent: RecentFacts, _on: date, limits: Thresholds
) -> Match | None:
    if facts.sleep_hours is None or facts.sleep_hours >= limits.sleep_hours:
        return None
    nearby = [hours for hours in recent.nearby_sleep_hours if hours < limits.sleep_hours]
    if not nearby:
        return None
    return Match(
        Rule.SHORT_SLEEP,
        Severity.MEDIUM,
        {"hours": limits.sleep_hours, "nights": 1 + len(nearby)},
    )


_RuleFunction = Callable[[AcuteFacts, RecentFacts, date, Thresholds], Match | None]
_RULES: tuple[_RuleFunction, ...] = (
    _not_safe,
    _withdrawal,
    _low_mood,
    _use,
    _craving,
    _confidence,
    _short_sleep,
)
