"""Communication: that a nudge was sent, or why it was not. Never what it said or was about."""

from __future__ import annotations

from typing import Any

from fhir.resources.R4B.communication import Communication

from backend.aftercare.models import Nudge
from backend.fhir.kinds import Reader, concept
from backend.fhir.labels import META
from backend.fhir.resources.rows import row_kind
from backend.fhir.selectors import nudges

WHY_NOT = "urn:handrail:nudge-not-sent"
CATEGORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/communication-category",
            "code": "notification",
            "display": "Notification",
        }
    ]
}


def _build(row: Nudge, reader: Reader) -> Any:
    became = (
        {"status": "completed", "sent": row.decided_at}
        if row.was_sent
        else {"status": "not-done", "statusReason": concept(WHY_NOT, row.why_not)}
    )
    return Communication.model_validate(
        {
            "id": str(row.pk),
            "meta": META,
            "category": [CATEGORY],
            "subject": reader.subject,
            "recipient": [reader.subject],
            **became,
        }
    )


KIND = row_kind(
    name="Communication",
    route="<uuid:nudge_id>",
    table=Nudge,
    rows=nudges,
    at="decided_at",
    build=_build,
    date_parameter="sent",
)
