"""Saying less to who does not want to hear it, or does not answer. Pure.

Source of the steps for who has gone quiet: Bidargaddi and others 2018 (every two or three days,
then weekly, then fortnightly). The rest are expert defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

VERSION = "back-off-1"

# After so many put aside in a row: nothing for so long.
PAUSES = {2: timedelta(days=7), 3: timedelta(days=14), 4: timedelta(days=28)}
# So many whole days without a check-in: at the most one prompt in so many days.
RUNGS = ((28, 14), (14, 7), (7, 3), (3, 2))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the patient did with one message, at that moment."""

    at: datetime
    was_dismissed: bool


def dismissed_in_a_row(answers: Sequence[Answer]) -> int:
    """How many of the latest answers were to put the message aside. In any order."""
    run = 0
    for answer in sorted(answers, key=lambda one: one.at, reverse=True):
        if not answer.was_dismissed:
            break
        run += 1
    return run


def paused_until(answers: Sequence[Answer]) -> datetime | None:
    """Until when nothing is said; None where nothing stands against it.

    A message that nobody answered says nothing, and one that was rated ends the run.
    """
    run = dismissed_in_a_row(answers)
    pause = PAUSES.get(min(run, max(PAUSES)))
    if pause is None:
        return None
    return max(answer.at for answer in answers) + pause


def days_between_prompts(silent_days: int) -> int:
    """How many days apart prompts are for somebody silent for that long: 1, 2, 3, 7, then 14."""
    return next((apart for silent, apart in RUNGS if silent_days >= silent), 1)


def is_prompted(*, on: date, silent_days: int, prompted_on: date | None) -> bool:
    """Whether a prompt goes out on that date. `prompted_on` is the date of the last that did."""
    if prompted_on is None:
        return True
    return (on - prompted_on).days >= days_between_prompts(silent_days)
