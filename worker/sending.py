"""The one sender of this process."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from backend.notifications.push import Sender
from worker.channels.push import firebase_sender


def require_sender() -> None:
    """Raises SystemExit, saying why, in a process that could send nothing."""
    try:
        push_sender()
    except ValueError as error:
        raise SystemExit(f"Nothing can be sent: {error}.") from None


@cache
def push_sender() -> Sender:
    """Made from the settings. Raises ValueError unless exactly one way to push is configured."""
    return firebase_sender(
        credentials=settings.FIREBASE_CREDENTIALS, endpoint=settings.FCM_ENDPOINT
    )
