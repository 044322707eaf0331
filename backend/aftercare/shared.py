"""The scopes `trends` and `alerts`: directions in a sentence, and what alerts were about.

No score, limit or outlook, no reason of an alert and nothing that was written about it.
"""

from __future__ import annotations

from django.utils import timezone

from backend.accounts.consent_scopes import Asked, ConsentScope, SharedScope, Shown
from backend.accounts.models import Patient
from backend.aftercare.selectors import alerts_opened_between
from backend.aftercare.texts import render
from backend.aftercare.trend_answers import trend_answer


def gather_trends(patient: Patient, asked: Asked) -> Shown:
    """Where things are going now; the days asked for change nothing."""
    answer = trend_answer(patient, language=asked.language, now=timezone.now())
    return [{"trend": answer.trend, "as_of": answer.as_of, "explanation": answer.explanation}]


def gather_alerts(patient: Patient, asked: Asked) -> Shown:
    """Those about the days, the newest first."""
    return [
        {
            "id": str(alert.pk),
            "about": render(f"condition.{alert.condition}", language=asked.language),
            "severity": alert.severity,
            "opened_at": alert.opened_at,
            "acknowledged_at": alert.acknowledged_at,
            "resolved_at": alert.resolved_at,
        }
        for alert in alerts_opened_between(patient.pk, asked.first, asked.last)
    ]


TRENDS = SharedScope(
    name=ConsentScope.TRENDS,
    object_kind="trend",
    tables=("tracking.Assessment",),
    gather=gather_trends,
)
ALERTS = SharedScope(
    name=ConsentScope.ALERTS,
    object_kind="alert",
    tables=("aftercare.Alert",),
    gather=gather_alerts,
)
