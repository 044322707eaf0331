"""Where a push to a device goes: an app's token at Firebase, or a browser's own push service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import push_services
from backend.accounts.models.devices import DeviceKind, Platform, TargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTarget:
    """Where a push to a device goes, and by which way. `push_keys` are a browser's alone."""

    kind: str
    push_target: str = field(repr=False)
    target_kind: str
    platform: str
    push_keys: str = field(default="", repr=False)


def browser_target(*, endpoint: str, p256dh: str, auth: str) -> PushTarget:
    """A browser's subscription. Raises `Invalid` for one that nothing could be sent to."""
    if not push_services.is_known(endpoint, lets_local=settings.WEB_PUSH_LOCAL):
        raise errors.invalid_field(
            "/subscription/endpoint", "unknown_push_service", _("We know no such push service.")
        )
    for name, is_usable in (
        ("p256dh", push_services.is_public_key(p256dh)),
        ("auth", push_services.is_secret(auth)),
    ):
        if not is_usable:
            raise errors.invalid_field(
                f"/subscription/keys/{name}", "invalid_value", _("This key cannot be used.")
            )
    return PushTarget(
        kind=DeviceKind.WEB_PUSH,
        push_target=endpoint,
        target_kind=TargetKind.BROWSER,
        platform=Platform.WEB,
        push_keys=json.dumps({"p256dh": p256dh, "auth": auth}),
    )
