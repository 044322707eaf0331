"""What people will read: texts nobody has reviewed yet, crisis lines nobody has confirmed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from backend.aftercare import crisis_resources, texts
from backend.start import CONTENT


@register(CONTENT)
def content_is_reviewed(**_: Any) -> list[CheckMessage]:
    """Counts alone, and in production alone: people who develop cannot review."""
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if unread := len(texts.unreviewed()):
        found.append(
            Warning(
                f"{unread} clinical texts have no reviewer.",
                "A clinician reads each text and signs it in `reviewed_by`.",
                id="handrail.W003",
            )
        )
    if unverified := len(crisis_resources.unverified()):
        found.append(
            Warning(
                f"{unverified} crisis lines have not been confirmed at their publisher.",
                "Call each line or read its publisher's page, then set `verified_at`.",
                id="handrail.W004",
            )
        )
    return found
