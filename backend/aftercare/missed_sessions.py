"""What a missed session asks of care: outreach at the first one, a flag with silence. Pure.

After one missed weekly visit a fifth of people were gone for the next four weeks (measured,
CTN-0094: opioid-treatment trials; an extrapolation for other programmes). Whoever is excused has
missed nothing, and the next session attended ends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

VERSION = "missed-sessions-1"

# Earlier sessions say nothing of now.
LOOK_BACK = timedelta(days=60)
# So long a missed session asks for outreach, whatever follows or does not.
OUTREACH_FOR = timedelta(days=28)
# A flag takes a session missed within this time and so many check-ins missed, up to now.
FLAG_WITHIN = timedelta(days=14)
MISSED_CHECK_INS = 2


@dataclass(frozen=True, slots=True)
class Held:
    """A session attended or missed. `known_on` is the day on which somebody recorded it."""

    on: date
    known_on: date
    was_missed: bool


def missed_run(held: Iterable[Held], *, by: date) -> tuple[date, ...]:
    """The days of the sessions missed since the last attended one, as known at the end of `by`.

    `held` comes in the order of the sessions.
    """
    run: list[date] = []
    for session in held:
        if session.on < by - LOOK_BACK or max(session.on, session.known_on) > by:
            continue
        run = [*run, session.on] if session.was_missed else []
    return tuple(run)


def asks_for_outreach(missed: Sequence[date], *, on: date) -> bool:
    """Whether somebody should reach out to them on that day."""
    return bool(missed) and on - missed[-1] <= OUTREACH_FOR


def is_flagged(missed: Sequence[date], *, silent_days: int, on: date) -> bool:
    """Whether it takes a flag: a session and, up to now, two check-ins or more."""
    return silent_days >= MISSED_CHECK_INS and bool(missed) and on - missed[-1] <= FLAG_WITHIN


def has_passed(missed: Sequence[date], *, session_on: date, on: date) -> bool:
    """Whether a flag about the session of that day has lost its cause: they have been to another
    one since, or it turned out not to have been missed.

    Time alone ends nothing.
    """
    return session_on >= on - LOOK_BACK and session_on not in missed
