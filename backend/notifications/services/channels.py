"""How a channel is doing: stopped while the fault is ours, open again by itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from backend.notifications.models import ChannelState
from backend.notifications.push import Outcome, SendResult
from backend.notifications.selectors import FAILURE_IS_RECENT

logger = structlog.get_logger(__name__)

SHORTEST_STOP = timedelta(seconds=5)
LONGEST_STOP = timedelta(seconds=60)
FAILURES = frozenset({Outcome.OUR_FAULT, Outcome.RATE_LIMITED, Outcome.UNKNOWN})


@transaction.atomic
def note_results(*, channel: str, results: Sequence[SendResult], now: datetime) -> None:
    """Keeps the channel's state after a batch.

    One accepted message shows that it works, whatever became of the others. Without one, a fault
    of ours stops it for as long as it has been failing, within limits. Where a service of many said
    that the fault is ours, it alone is stopped so.
    """
    outcomes = {result.outcome for result in results}
    failed = next((result for result in results if result.outcome in FAILURES), None)
    if Outcome.ACCEPTED not in outcomes and failed is None:
        return
    ChannelState.objects.get_or_create(channel=channel)
    state = ChannelState.objects.select_for_update().get(channel=channel)
    if Outcome.ACCEPTED in outcomes:
        _works(state, now)
    elif failed is not None:
        _fails(state, failed, now)
    for service in {result.service for result in results} - {""}:
        _note_service(
            state, service, {one.outcome for one in results if one.service == service}, now
        )
    faults = [one for one in results if one.outcome is Outcome.OUR_FAULT and not one.service]
    if faults and Outcome.ACCEPTED not in outcomes:
        _stop(state, now)
    state.save()


def _works(state: ChannelState, now: datetime) -> None:
    state.stopped_until = state.failing_since = state.failed_at = None
    state.last_error = ""
    state.last_accepted_at = now


def _fails(state: ChannelState, failed: SendResult, now: datetime) -> None:
    is_new = state.failed_at is None or state.failed_at < now - FAILURE_IS_RECENT
    if state.failing_since is None or is_new:
        state.failing_since = now
    state.failed_at = now
    state.last_error = (failed.error or failed.outcome.value)[:60]


def _note_service(
    state: ChannelState, service: str, outcomes: Collection[Outcome], now: datetime
) -> None:
    if Outcome.ACCEPTED in outcomes:
        state.services.pop(service, None)
    elif Outcome.OUR_FAULT in outcomes:
        known = state.services.get(service)
        if known is None:
            logger.error(
                "channel_stopped", channel=f"{state.channel} {service}", error=state.last_error
            )
        is_new = (
            known is None
            or datetime.fromisoformat(known["stopped_until"]) < now - FAILURE_IS_RECENT
        )
        since = now if known is None or is_new else datetime.fromisoformat(known["failing_since"])
        state.services[service] = {
            "failing_since": since.isoformat(),
            "stopped_until": (now + _how_long(since, now)).isoformat(),
        }


def _how_long(since: datetime, now: datetime) -> timedelta:
    return min(max(now - since, SHORTEST_STOP), LONGEST_STOP)


def _stop(state: ChannelState, now: datetime) -> None:
    if state.stopped_until is None:
        logger.error("channel_stopped", channel=state.channel, error=state.last_error)
    state.stopped_until = now + _how_long(state.failing_since or now, now)
