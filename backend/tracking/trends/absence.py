"""A run of missed check-ins that is long for this person.

surprise = -run * log(p + (1-p) * 0.35), with p their own missing rate 7 to 42 days ago: someone who
answers daily is noticed after a few days, someone who skips every other day is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints

FIRST_DAYS_AGO = 42
LAST_DAYS_AGO = 7
PERSISTENCE = 0.35
LEAST_DAYS = 14
# A run has a chance of exp(-surprise) of lasting so long by habit alone. At 4, simulated people
# whose habit does not change raise 0.08 flags a patient-month.
SURPRISE_LIMIT = 4.0


@dataclass(frozen=True, slots=True)
class Absence:
    """Per person: days missed up to now, their usual missing rate, surprise (nats), flagged."""

    run: Ints
    usual_rate: Floats
    surprise: Floats
    limit: float
    flagged: Bools


def absence(
    answered: Bools, *, enrolled_days: Ints | None = None, limit: float = SURPRISE_LIMIT
) -> Absence:
    """Judge people x days of "a check-in came", as of the last day.

    `enrolled_days` is how many of the last days the person was asked for a check-in (all of them
    if not given). With fewer than 14 days to learn a habit from, nothing is flagged.
    """
    people, days = answered.shape
    asked = np.full(people, days) if enrolled_days is None else np.minimum(enrolled_days, days)
    ago = np.arange(days - 1, -1, -1)[None, :]
    run = np.minimum(_run(answered), asked)
    habit = (ago >= LAST_DAYS_AGO) & (ago < FIRST_DAYS_AGO) & (ago < asked[:, None])
    known = habit.sum(axis=1)
    missed = (habit & ~answered).sum(axis=1)
    rate = np.divide(missed, known, out=np.full(people, np.nan), where=known > 0)
    chance = rate + (1 - rate) * PERSISTENCE
    surprise = -run * np.log(chance)
    flagged = (known >= LEAST_DAYS) & (surprise > limit)
    return Absence(run, rate, surprise, limit, flagged)


def _run(answered: Bools) -> Ints:
    """Days without a check-in up to and including the last day."""
    backwards = answered[:, ::-1]
    run: Ints = np.where(np.any(backwards, axis=1), backwards.argmax(axis=1), answered.shape[1])
    return run
