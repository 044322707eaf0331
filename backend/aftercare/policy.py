"""How soon, for how long, at what hours: the expert defaults of the alerts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta

from backend.aftercare.decision_rules import Severity
from backend.notifications.budgets import Budget

VERSION = "alerts-1"


@dataclass(frozen=True, slots=True)
class ResponsePolicy:
    """For one severity.

    `due_within`: by when somebody is expected to have looked. `next_level_after`: how long a
    level may stay silent before the next one is told; None means that it is never passed on.
    `message_life`: how long a message about it is worth delivering.
    """

    due_within: timedelta
    next_level_after: timedelta | None
    message_life: timedelta
    obeys_quiet_hours: bool


RESPONSE: Mapping[Severity, ResponsePolicy] = {
    Severity.CRITICAL: ResponsePolicy(
        due_within=timedelta(minutes=15),
        next_level_after=timedelta(minutes=10),
        message_life=timedelta(hours=12),
        obeys_quiet_hours=False,
    ),
    Severity.HIGH: ResponsePolicy(
        due_within=timedelta(hours=4),
        next_level_after=timedelta(hours=2),
        message_life=timedelta(hours=24),
        obeys_quiet_hours=False,
    ),
    Severity.MEDIUM: ResponsePolicy(
        due_within=timedelta(hours=24),
        next_level_after=None,
        message_life=timedelta(hours=48),
        obeys_quiet_hours=True,
    ),
}

# An acknowledged critical alert without an outcome starts over after this long.
OUTCOME_WITHIN = timedelta(hours=1)
# A critical alert that nobody on the ladder answered starts over after this long.
EXHAUSTED_RESTART_AFTER = timedelta(minutes=30)
# A nudge or support message is not worth showing after this long.
SUPPORT_MESSAGE_LIFE = timedelta(hours=12)
NUDGE_LIFE = timedelta(hours=12)

# When somebody is asked for a check-in who has chosen no time.
EVENING = time(19, 0)
# Over all sources: a nudge is a nudge, whatever set it off.
NUDGE_BUDGET = Budget(per_day=1, per_week=3)
# At most one flag without an acute check-in behind it per patient in this time.
FLAG_INTERVAL = timedelta(days=7)
