"""Whether the day has come on which an alert is looked at again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from backend.aftercare.models import Alert, AlertStatus


def is_back(alert: Alert, *, now: datetime) -> bool:
    """Its day is today or was before, where the patient is, and nobody has done anything since."""
    if alert.look_again_on is None or alert.status == AlertStatus.RESOLVED:
        return False
    return alert.look_again_on <= now.astimezone(ZoneInfo(alert.patient.time_zone)).date()
