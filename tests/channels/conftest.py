"""One local FCM and one sender for all; each test begins with an empty inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from backend.notifications.push import PushMessage, TargetKind
from local.fcm import LocalFcm
from worker.channels.push import FirebaseSender

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MakeMessage = Callable[..., PushMessage]


def message(
    target: str = "a-phone",
    *,
    kind: TargetKind = TargetKind.TOKEN,
    life: timedelta = timedelta(hours=2),
    urgent: bool = False,
) -> PushMessage:
    return PushMessage(
        notification_id=uuid4(),
        target=target,
        target_kind=kind,
        title="You have a new message",
        body="Open the app to read it.",
        expires_at=NOW + life,
        urgent=urgent,
    )


@pytest.fixture(scope="session")
def running_fcm() -> Iterator[LocalFcm]:
    with LocalFcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(running_fcm: LocalFcm) -> LocalFcm:
    running_fcm.behaviour.clear()
    running_fcm.inbox.clear()
    return running_fcm


@pytest.fixture(scope="session")
def patient_sender(running_fcm: LocalFcm) -> Iterator[FirebaseSender]:
    sender = FirebaseSender(endpoint=running_fcm.url, timeout_seconds=10)
    yield sender
    sender.close()


@pytest.fixture
def sender(fcm: LocalFcm, patient_sender: FirebaseSender) -> FirebaseSender:
    return patient_sender


@pytest.fixture
def hasty_sender(fcm: LocalFcm) -> Iterator[FirebaseSender]:
    """Waits one second; loaded and connected once, so that tests measure sending alone."""
    sender = FirebaseSender(endpoint=fcm.url, timeout_seconds=1.0)
    sender.send([message("warm-up")], now=NOW)
    fcm.inbox.clear()
    yield sender
    sender.close()
