"""Flag: an alert that still stands. Its reasons and its acts stay here."""

from __future__ import annotations

from typing import Any

from fhir.resources.R4B.flag import Flag

from backend.aftercare.models import Alert
from backend.aftercare.texts import render
from backend.fhir.kinds import Reader, concept
from backend.fhir.labels import META
from backend.fhir.resources.rows import row_kind
from backend.fhir.selectors import standing_alerts

CONDITION = "urn:handrail:condition"
SEVERITY = "urn:handrail:severity"
CATEGORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/flag-category",
            "code": "clinical",
            "display": "Clinical",
        }
    ]
}


def _build(row: Alert, reader: Reader) -> Any:
    words = render(f"condition.{row.condition}", language=reader.language)
    return Flag.model_validate(
        {
            "id": str(row.pk),
            "meta": META,
            "language": reader.language,
            "status": "active",
            "category": [CATEGORY, concept(SEVERITY, row.severity)],
            "code": concept(CONDITION, row.condition, words),
            "subject": reader.subject,
            "period": {"start": row.opened_at},
        }
    )


KIND = row_kind(
    name="Flag",
    route="<uuid:alert_id>",
    table=Alert,
    rows=standing_alerts,
    at="opened_at",
    build=_build,
    date_parameter="date",
)
