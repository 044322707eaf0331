"""What happens to a notification next: pure decisions, taken before a send and after it.

No framework: facts come in as dataclasses with an explicit `now`, a decision comes out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from backend.notifications.push import Outcome
from backend.notifications.quiet_hours import QuietHours

VERSION = "1"

FIRST_RETRY = timedelta(seconds=0.5)
LONGEST_RETRY = timedelta(seconds=60)
LONGEST_ACUTE_RETRY = timedelta(seconds=2)
NEXT_LOOK_FOR_A_PHONE = timedelta(seconds=60)
NEXT_ACUTE_LOOK_FOR_A_PHONE = timedelta(seconds=5)
FALL_BACK_AFTER = timedelta(minutes=5)
FALL_BACK_ACUTE_AFTER = timedelta(seconds=20)
"""How long one way of reaching somebody is tried alone before the next one is tried as well."""

REPEAT_AFTER = timedelta(minutes=30)
REPEAT_ACUTE_AFTER = timedelta(minutes=2)
"""How long an accepted message may stay unconfirmed before it is sent once more."""


class Ending(StrEnum):
    """How a notification is settled. The same words as the stored outcome."""

    ACCEPTED = "accepted"
    NO_DEVICE = "no_device"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A phone or other address that may be sent to now, and what this notification's ledger says.

    `rank` is 0 for phones; a higher one stands back until the lower ones have come to nothing.
    `is_stopped`: its channel is, for now.
    """

    device_id: UUID
    was_accepted: bool = False
    was_rejected: bool = False
    tries: int = 0
    retry_at: datetime | None = None
    rank: int = 0
    is_stopped: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there is still something to try."""
        return not (self.was_accepted or self.was_rejected)

    def is_ready(self, now: datetime) -> bool:
        is_due = self.retry_at is None or self.retry_at <= now
        return self.is_open and not self.is_stopped and is_due


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision rests on, read just before it is taken.

    `waits_for_phone`: worth keeping while nobody can be reached, because a phone may register.
    `may_still_be_told`: the recipient's account is open, they may see this patient, and the
    patient is in care (or the message acute). `anyone_accepted` counts phones that are gone, too.
    `tried_since` is when the first try of all began. `quiet_hours` are the recipient's, in
    `quiet_zone`; without a zone the message knows none.
    """

    expires_at: datetime
    is_acute: bool
    is_cancelled: bool
    may_still_be_told: bool
    waits_for_phone: bool
    quiet_zone: ZoneInfo | None
    anyone_accepted: bool
    devices: Sequence[DeviceFacts]
    tried_since: datetime | None = None
    quiet_hours: QuietHours = field(default_factory=QuietHours)


@dataclass(frozen=True, slots=True)
class Send:
    """To these phones and addresses, now."""

    device_ids: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """It is over."""

    ending: Ending


Decision = Send | Wait | Settle


def decide(facts: Facts, *, now: datetime) -> Decision:
    """What to do with a notification, before anything is sent."""
    if facts.is_cancelled:
        return Settle(Ending.CANCELLED)
    if facts.expires_at <= now:
        return Settle(Ending.ACCEPTED if facts.anyone_accepted else Ending.EXPIRED)
    if not facts.may_still_be_told:
        return Settle(Ending.CANCELLED)
    if facts.quiet_zone is not None:
        morning = facts.quiet_hours.end_after(now, facts.quiet_zone)
        if morning is not None:
            return Wait(min(morning, facts.expires_at))
    in_turn = whose_turn(facts, now=now)
    ready = frozenset(device.device_id for device in in_turn if device.is_ready(now))
    return Send(ready) if ready else what_is_left(facts, now=now)


def whose_turn(facts: Facts, *, now: datetime) -> list[DeviceFacts]:
    """Phones, and the next addresses once what stands before them has come to nothing.

    That is so when nothing there is left to try or its channel is stopped, and when it has been
    tried for longer than there is time. Once anybody has accepted, phones alone are tried on.
    """
    patience = FALL_BACK_ACUTE_AFTER if facts.is_acute else FALL_BACK_AFTER
    turn: list[DeviceFacts] = []
    for step, rank in enumerate(sorted({device.rank for device in facts.devices})):
        if rank and facts.anyone_accepted:
            break
        turn += (here := [device for device in facts.devices if device.rank == rank])
        has_time = facts.tried_since is None or now < facts.tried_since + patience * (step + 1)
        if has_time and any(device.is_open and not device.is_stopped for device in here):
            break
    return turn


def what_is_left(facts: Facts, *, now: datetime) -> Wait | Settle:
    """What to do once nothing more can be sent at this moment."""
    pause = NEXT_ACUTE_LOOK_FOR_A_PHONE if facts.is_acute else NEXT_LOOK_FOR_A_PHONE
    still_open = [device for device in whose_turn(facts, now=now) if device.is_open]
    if still_open:
        looks = [now + pause if one.is_stopped else one.retry_at or now for one in still_open]
        return Wait(min(*looks, facts.expires_at))
    if facts.anyone_accepted:
        return Settle(Ending.ACCEPTED)
    if facts.waits_for_phone:
        return Wait(min(now + pause, facts.expires_at))
    return Settle(Ending.DEAD if facts.devices else Ending.NO_DEVICE)


def retry_at(
    outcome: Outcome,
    *,
    is_acute: bool,
    tries: int,
    retry_after: timedelta | None,
    now: datetime,
) -> datetime | None:
    """When this device may be tried again after that outcome; None when it never is.

    `tries` are those before this one. The wait doubles up to a limit and is then shortened by
    up to half at random, so that what failed together does not come back together. A wait that
    the provider asked for is kept, also for acute messages.
    """
    if outcome in (Outcome.ACCEPTED, Outcome.TARGET_GONE, Outcome.REJECTED):
        return None
    if outcome is Outcome.RATE_LIMITED and retry_after is not None:
        return now + max(retry_after, FIRST_RETRY)
    limit = LONGEST_ACUTE_RETRY if is_acute else LONGEST_RETRY
    wait = min(FIRST_RETRY * (1 << min(tries, 16)), limit)
    share = random.uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
    return now + wait * share
