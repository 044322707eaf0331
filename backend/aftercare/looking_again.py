"""Whether the day has come on which an alert is looked at again."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from backend.aftercare.models import Alert, AlertStatus


def today_of(alert: Alert, *, now: datetime) -> date:
    """The date where the alert's patient is."""
    return now.astimezone(ZoneInfo(alert.patient.time_zone)).date()


def is_back(alert: Alert, *, today: date) -> bool:
    """Its day has come and nobody has done anything since. `today` is where the patient is."""
    if alert.look_again_on is None or alert.status == AlertStatus.RESOLVED:
        return False
    return alert.look_again_on <= today
