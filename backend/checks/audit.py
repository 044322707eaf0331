"""What keeps a changed audit log from being noticed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from backend.start import ENVIRONMENT


@register(ENVIRONMENT)
def roots_are_kept_outside(**_: Any) -> list[CheckMessage]:
    """For the processes that seal; in production alone."""
    is_sealer = settings.DATABASE_ROLE == "worker"
    if not settings.IS_PRODUCTION or not is_sealer or settings.AUDIT_ROOTS_FILE:
        return []
    return [
        Warning(
            "AUDIT_ROOTS_FILE is not set: a cut at the end of the audit log cannot be noticed.",
            "Set it to a file on storage that the database's administrators cannot write to.",
            id="handrail.W007",
        )
    ]
