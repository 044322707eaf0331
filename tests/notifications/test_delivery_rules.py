"""The decisions alone, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from backend.notifications.delivery_rules import (
    DeviceFacts,
    Ending,
    Facts,
    Send,
    Settle,
    Wait,
    decide,
    retry_at,
    what_is_left,
)
from backend.notifications.models import NotificationOutcome
from backend.notifications.push import Outcome

NOW = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=4)
NEW_YORK = ZoneInfo("America/New_York")


def phone(**values: Any) -> DeviceFacts:
    return DeviceFacts(**{"device_id": uuid4(), **values})


def facts(*devices: DeviceFacts, **values: Any) -> Facts:
    return Facts(
        **{
            "expires_at": LATER,
            "is_acute": False,
            "is_cancelled": False,
            "may_still_be_told": True,
            "waits_for_phone": False,
            "quiet_zone": None,
            "anyone_accepted": False,
            "devices": devices,
            **values,
        }
    )


def test_the_endings_are_the_stored_outcomes() -> None:
    assert {ending.value for ending in Ending} == set(NotificationOutcome.values)


def test_it_goes_to_every_phone_that_is_ready_and_to_no_other() -> None:
    new, had_it, refused = phone(), phone(was_accepted=True), phone(was_rejected=True)
    due, waiting = phone(retry_at=NOW), phone(retry_at=NOW + timedelta(seconds=1))
    decision = decide(facts(new, had_it, refused, due, waiting), now=NOW)
    assert decision == Send(frozenset({new.device_id, due.device_id}))


@pytest.mark.parametrize("reason", ["is_cancelled", "may_still_be_told"])
def test_a_cancelled_or_no_longer_permitted_one_is_not_sent(reason: str) -> None:
    standing = facts(phone())
    change: dict[str, Any] = {reason: not getattr(standing, reason)}
    assert decide(replace(standing, **change), now=NOW) == Settle(Ending.CANCELLED)


def test_an_expired_one_is_not_sent() -> None:
    assert decide(facts(phone()), now=LATER) == Settle(Ending.EXPIRED)
    had_it = facts(phone(), anyone_accepted=True)
    assert decide(had_it, now=LATER) == Settle(Ending.ACCEPTED)


def test_quiet_hours_hold_it_back_until_the_morning() -> None:
    night = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    morning = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
    held = facts(phone(), quiet_zone=NEW_YORK, expires_at=night + timedelta(days=1))
    assert decide(held, now=night) == Wait(morning)
    assert isinstance(decide(replace(held, quiet_zone=None), now=night), Send)
    assert isinstance(decide(held, now=morning), Send)


def test_what_would_only_come_after_its_life_waits_no_longer_than_that() -> None:
    night = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    held = facts(phone(), quiet_zone=NEW_YORK, expires_at=night + timedelta(hours=1))
    assert decide(held, now=night) == Wait(night + timedelta(hours=1))


def test_without_a_phone_an_alert_waits_and_a_nudge_is_over() -> None:
    assert decide(facts(), now=NOW) == Settle(Ending.NO_DEVICE)
    acute = facts(waits_for_phone=True, is_acute=True)
    assert decide(acute, now=NOW) == Wait(NOW + timedelta(seconds=5))
    calm = facts(waits_for_phone=True)
    assert decide(calm, now=NOW) == Wait(NOW + timedelta(seconds=60))


def test_it_is_accepted_when_every_live_phone_has_ended() -> None:
    done = facts(phone(was_accepted=True), phone(was_rejected=True), anyone_accepted=True)
    assert what_is_left(done, now=NOW) == Settle(Ending.ACCEPTED)
    gone = facts(anyone_accepted=True, waits_for_phone=True)
    assert what_is_left(gone, now=NOW) == Settle(Ending.ACCEPTED)


def test_refused_by_every_phone_is_never_called_accepted() -> None:
    refused = facts(phone(was_rejected=True))
    assert what_is_left(refused, now=NOW) == Settle(Ending.DEAD)
    waiting = replace(refused, waits_for_phone=True)
    assert what_is_left(waiting, now=NOW) == Wait(NOW + timedelta(seconds=60))


def test_one_open_phone_keeps_it_open_until_the_earliest_retry() -> None:
    soon, late = NOW + timedelta(seconds=1), NOW + timedelta(hours=9)
    one, two = phone(retry_at=late), phone(retry_at=soon)
    left = facts(one, two, phone(was_accepted=True), anyone_accepted=True)
    assert what_is_left(left, now=NOW) == Wait(soon)
    assert what_is_left(facts(one), now=NOW) == Wait(LATER)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.TARGET_GONE, Outcome.REJECTED])
def test_what_is_over_for_a_phone_is_never_repeated(outcome: Outcome) -> None:
    again = retry_at(outcome, is_acute=True, tries=0, retry_after=timedelta(1), now=NOW)
    assert again is None


@pytest.mark.parametrize(("is_acute", "limit_s"), [(True, 2), (False, 60)])
def test_the_wait_grows_to_its_limit_and_never_past_it(is_acute: bool, limit_s: int) -> None:
    def waits(tries: int) -> list[float]:
        moments = [
            retry_at(Outcome.UNKNOWN, is_acute=is_acute, tries=tries, retry_after=None, now=NOW)
            for _ in range(50)
        ]
        return [(moment - NOW).total_seconds() for moment in moments if moment]

    assert all(0.25 <= wait <= 0.5 for wait in waits(0))
    for tries in (10, 1000):
        assert all(limit_s / 2 <= wait <= limit_s for wait in waits(tries))
    assert len(set(waits(10))) > 40  # they do not all come back together


@pytest.mark.parametrize("is_acute", [True, False])
def test_the_wait_that_the_provider_asks_for_is_kept(is_acute: bool) -> None:
    asked = timedelta(seconds=90)
    again = retry_at(Outcome.RATE_LIMITED, is_acute=is_acute, tries=0, retry_after=asked, now=NOW)
    assert again == NOW + asked
    unnamed = retry_at(Outcome.RATE_LIMITED, is_acute=is_acute, tries=0, retry_after=None, now=NOW)
    assert unnamed is not None
    assert NOW < unnamed <= NOW + timedelta(seconds=0.5)
