"""What one message looks like to FCM: its words, a random id, and how it may be shown.

Fields: FCM HTTP v1 `projects.messages`; Apple "Sending notification requests to APNs";
RFC 8030 sections 5.2 to 5.4 for web push.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backend.notifications.push import PushMessage, TargetKind

LONGEST_LIFE = timedelta(days=28)
"""FCM refuses a longer time to live."""


def build_message(messaging: Any, message: PushMessage, *, now: datetime) -> Any:
    """The SDK's message object; `messaging` is the SDK's module.

    Raises ValueError for a target that is empty or of another channel: the SDK itself looks only
    when it is sending.
    """
    if not message.target or message.target_kind not in (TargetKind.TOKEN, TargetKind.FID):
        raise ValueError("no target")
    life = min(message.time_to_live(now), LONGEST_LIFE)
    seconds = int(life.total_seconds())
    built = messaging.Message(
        notification=messaging.Notification(title=message.title, body=message.body),
        data={"notification_id": str(message.notification_id)},
        android=_android(messaging, message, seconds),
        apns=_apns(messaging, message, now + life),
        webpush=messaging.WebpushConfig(headers=_webpush_headers(message, seconds)),
    )
    # Set afterwards: the constructor's token argument warns of its deprecation, and a warning
    # filter belongs to the whole process and is not safe between threads.
    if message.target_kind is TargetKind.FID:
        built.fid = message.target
    else:
        built.token = message.target
    return built


def _android(messaging: Any, message: PushMessage, seconds: int) -> Any:
    return messaging.AndroidConfig(
        collapse_key=message.collapse_id,
        priority="high" if message.urgent else "normal",
        ttl=timedelta(seconds=seconds),
        notification=messaging.AndroidNotification(tag=message.collapse_id),
    )


def _apns(messaging: Any, message: PushMessage, until: datetime) -> Any:
    # Without a sound iOS shows an urgent message in silence.
    loud = messaging.APNSPayload(aps=messaging.Aps(sound="default")) if message.urgent else None
    return messaging.APNSConfig(headers=_apns_headers(message, until), payload=loud)


def _apns_headers(message: PushMessage, until: datetime) -> dict[str, str]:
    return {
        "apns-collapse-id": message.collapse_id,
        "apns-expiration": str(int(until.timestamp())),
        "apns-priority": "10" if message.urgent else "5",
    }


def _webpush_headers(message: PushMessage, seconds: int) -> dict[str, str]:
    return {
        "TTL": str(seconds),
        "Topic": message.notification_id.hex,  # a topic has at most 32 characters
        "Urgency": "high" if message.urgent else "normal",
    }
