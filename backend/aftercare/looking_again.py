"""Whether the day has come on which an alert is looked at again."""

from __future__ import annotations

from datetime import date

from backend.aftercare.models import Alert, AlertStatus


def is_back(alert: Alert, *, today: date) -> bool:
    """Its day has come and nobody has done anything since. `today` is where the patient is."""
    if alert.look_again_on is None or alert.status == AlertStatus.RESOLVED:
        return False
    return alert.look_again_on <= today
