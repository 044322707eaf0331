"""A cohort of invented people with diaries, for demonstrations. Pure: the same seed and last day
give the same people, wherever and whenever.

Everyone is drawn from `tracking.simulation`; a story only bends the course of the last weeks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from backend.intake.cohort_names import NAMES
from backend.program.models import Substance
from backend.tracking import simulation
from backend.tracking.models import CheckInKind, ExerciseKind
from backend.tracking.reports import CheckInReport
from backend.tracking.trends import SIGNALS
from backend.tracking.trends.arrays import Bools, Floats

SEED = 2026
ID_SPACE = UUID("c7c7a4b8-55cf-4f0e-9a55-2f4d1d6f0a90")

# People some weeks into a programme: less craving and better nights than the model's average
# day, in points of badness, in the order of SIGNALS.
SETTLED = np.array([-0.8, -1.6, -1.2, 0.3, -1.6])
SILENT_SINCE = (3, 5, 9, 16)
SKIPPED_ITEM = 0.04
REST_DAY = 0.35
EARLY_LAPSE_SHARE = 0.2
SUBSTANCES = (Substance.ALCOHOL, Substance.OPIOIDS, Substance.STIMULANTS, Substance.CANNABIS)
KINDS = (ExerciseKind.WALK, ExerciseKind.WALK, ExerciseKind.CYCLE, ExerciseKind.STRENGTH)


class Story(StrEnum):
    """What the last weeks of a diary show."""

    STEADY = "steady"
    IMPROVING = "improving"
    DECLINING = "declining"
    LAPSING = "lapsing"
    SILENT = "silent"
    IN_TROUBLE = "in_trouble"

    @property
    def is_live(self) -> bool:
        """Whether the last day is told as it happens, so that care has something to answer."""
        return self in (Story.DECLINING, Story.LAPSING, Story.IN_TROUBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One invented person. `diary` is oldest first; a live story's last day is `end_on`."""

    number: int
    given_name: str
    family_name: str
    born_on: date
    story: Story
    diary: tuple[CheckInReport, ...]


@dataclass(frozen=True, slots=True)
class _Habits:
    substance: Substance
    exercise: ExerciseKind
    minute_of_day: int


def generate_cohort(
    *, end_on: date, zone: tzinfo, people: int = 40, days: int = 90, seed: int = SEED
) -> tuple[Person, ...]:
    """`people` diaries of `days` days up to `end_on`; the first person is always a steady one.

    At most as many people as there are names. The last day is kept for the live stories alone: the
    others have not checked in yet today.
    """
    rng = np.random.default_rng(seed)
    stories = _stories(people, rng)
    badness = _badness(stories, days, end_on, rng)
    answered = _answered(stories, days, rng)
    return tuple(
        Person(
            number=number,
            given_name=NAMES[number][0],
            family_name=NAMES[number][1],
            born_on=date(1998, 1, 1) - timedelta(days=int(rng.integers(0, 13_000))),
            story=story,
            diary=tuple(
                _diary(number, story, badness[number], answered[number], end_on, zone, rng)
            ),
        )
        for number, story in enumerate(stories)
    )


def _stories(people: int, rng: np.random.Generator) -> list[Story]:
    tenth = max(people // 10, 1)
    told = [
        Story.IN_TROUBLE,
        *[Story.DECLINING] * tenth,
        *[Story.LAPSING] * max(tenth - 1, 1),
        *[Story.SILENT] * tenth,
        *[Story.IMPROVING] * max(tenth // 2, 1),
    ]
    rest = [*told, *[Story.STEADY] * people][: people - 1]
    return [Story.STEADY, *(rest[index] for index in rng.permutation(len(rest)))]


def _badness(stories: list[Story], days: int, end_on: date, rng: np.random.Generator) -> Floats:
    """People x days x signals, within 0 to 10."""
    people = len(stories)
    persons = simulation.draw_persons(people, len(SIGNALS), rng)
    noise = simulation.autocorrelated(persons.phi, days, len(SIGNALS), rng)
    # Somebody whose usual is bad already has nowhere to decline to.
    room = np.array([story.is_live for story in stories])[:, None]
    level = np.where(room, np.clip(persons.level, None, 4.0), persons.level) + SETTLED
    first = end_on - timedelta(days=days - 1)
    weekday = (np.arange(days) + first.weekday()) % 7
    drawn = simulation.badness(
        simulation.Persons(level, persons.sd, persons.phi),
        noise,
        np.tile(weekday, (people, 1)),
        np.array([_course(story, days) for story in stories]),
    )
    return np.clip(drawn, 0, 10)


def _course(story: Story, days: int) -> Floats:
    """How far the person is from their usual, in SDs, for each day; up is worse."""
    weeks_ago, size = {
        Story.DECLINING: (2, 2.4),
        Story.IN_TROUBLE: (2, 2.6),
        Story.LAPSING: (1, 2.0),
        Story.IMPROVING: (3, -1.8),
    }.get(story, (0, 0.0))
    there: Floats = simulation.course(np.array([days - 7 * weeks_ago]), days)[0]
    return size * there


def _answered(stories: list[Story], days: int, rng: np.random.Generator) -> Bools:
    """People x days. Nobody but the silent ones has a gap that reaches today."""
    extra = np.zeros((len(stories), days))
    silent = [number for number, story in enumerate(stories) if story is Story.SILENT]
    extra[silent, -35:] = 0.15
    answered = ~simulation.missing_runs(extra, rng)
    answered[:, -2] = True
    answered[:, -1] = [story.is_live for story in stories]
    for place, number in enumerate(silent):
        since = SILENT_SINCE[place % len(SILENT_SINCE)]
        answered[number, -since:] = False
        answered[number, -since - 1] = True
    return answered


def _diary(
    number: int,
    story: Story,
    badness: Floats,
    answered: Bools,
    end_on: date,
    zone: tzinfo,
    rng: np.random.Generator,
) -> Iterator[CheckInReport]:
    days = len(badness)
    habits = _Habits(
        substance=SUBSTANCES[int(rng.integers(len(SUBSTANCES)))],
        exercise=KINDS[int(rng.integers(len(KINDS)))],
        minute_of_day=int(rng.integers(18 * 60 + 30, 21 * 60 + 30)),
    )
    lapse = _earlier_lapse(story, answered, rng)
    for index in range(days):
        items = _items(badness[index], index == lapse, habits, rng)
        minute = habits.minute_of_day + int(rng.normal(0, 20))
        if not answered[index]:
            continue
        on = end_on - timedelta(days=days - 1 - index)
        if index == days - 1:
            items |= _today(story, items, habits, on)
        yield CheckInReport(
            id=uuid5(ID_SPACE, f"{number}/{index}"),
            kind=CheckInKind.DAILY.value,
            local_date=on,
            recorded_at=datetime.combine(on, time(minute // 60, minute % 60), tzinfo=zone),
            time_zone=str(zone),
            **items,
        )


def _earlier_lapse(story: Story, answered: Bools, rng: np.random.Generator) -> int | None:
    """The day of a lapse in the first weeks; everybody who lapses now had one then."""
    early = np.flatnonzero(answered[5 : len(answered) // 3]) + 5
    drawn = rng.uniform() < EARLY_LAPSE_SHARE
    if not len(early) or not (drawn or story is Story.LAPSING):
        return None
    return int(rng.choice(early))


def _items(
    badness: Floats, used: bool, habits: _Habits, rng: np.random.Generator
) -> dict[str, Any]:
    """One day's answers on the scales a phone offers."""
    raw = {signal.name: float(signal.raw(badness[column])) for column, signal in enumerate(SIGNALS)}
    rests = rng.uniform() < REST_DAY
    minutes = 0 if rests else 5 * round(raw["exercise_minutes"] / 5)
    quality = 5 - badness[2] * 0.4 + rng.normal(0, 0.5)
    items: dict[str, Any] = {
        "mood": round(raw["mood"]),
        "craving": round(raw["craving"]),
        "confidence": round(raw["confidence"]),
        "sleep_hours": Decimal(str(round(raw["sleep_hours"] * 4) / 4)),
        "sleep_quality": int(np.clip(round(quality), 1, 5)),
        "exercise_minutes": minutes,
        "use_reported": used,
    }
    skipped = rng.uniform(size=len(items)) < SKIPPED_ITEM
    items |= {name: None for name, skip in zip(items, skipped, strict=True) if skip and not used}
    if items["exercise_minutes"]:
        items["exercise_kind"] = habits.exercise.value
    if used:
        items["use_substances"] = (habits.substance.value,)
    return items


def _today(story: Story, items: dict[str, Any], habits: _Habits, on: date) -> dict[str, Any]:
    """What a live story says on the last day, where the model alone leaves it to chance."""
    if story is Story.IN_TROUBLE:
        return {"mood": 1, "craving": 9, "confidence": 2, "use_reported": False}
    # Below every acute threshold: these two show a slow decline, and use, and nothing else.
    calm: dict[str, Any] = {
        "mood": max(items["mood"] or 4, 3),
        "craving": min(items["craving"] or 6, 7),
        "confidence": max(items["confidence"] or 5, 4),
        "sleep_hours": max(items["sleep_hours"] or Decimal(5), Decimal("4.5")),
        "use_reported": False,
    }
    if story is Story.LAPSING:
        calm |= {
            "use_reported": True,
            "use_substances": (habits.substance.value,),
            "use_on": on - timedelta(days=1),
        }
    return calm
