"""DetectedIssue: what the numbers said on a day. Directions and a sentence; scores stay here."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from fhir.resources.R4B.detectedissue import DetectedIssue

from backend.aftercare.trend_answers import explain_trend
from backend.fhir.items import BY_CODE
from backend.fhir.kinds import Reader, concept
from backend.fhir.labels import META
from backend.fhir.resources.rows import row_kind
from backend.fhir.selectors import assessments
from backend.tracking.models import Assessment

TREND = "urn:handrail:trend"
WORDS = {
    "improving": _("Improving"),
    "steady": _("Steady"),
    "worsening": _("Worsening"),
    "unknown": _("Too little to say"),
}


def _build(row: Assessment, reader: Reader) -> Any:
    return DetectedIssue.model_validate(
        {
            "id": str(row.pk),
            "meta": META,
            "language": reader.language,
            "status": "final",
            "code": concept(TREND, row.trend, WORDS[row.trend]),
            "patient": reader.subject,
            "identifiedDateTime": row.assessed_at,
            "evidence": _evidence(row) or None,
            "detail": explain_trend(
                row, reader.patient, language=reader.language, now=row.assessed_at
            ),
        }
    )


def _evidence(row: Assessment) -> list[dict[str, Any]]:
    """The items that the trend rests on, by name alone."""
    names = [signal["signal"] for signal in row.facts.get("signals", []) if signal["reason"]]
    items = [BY_CODE.get(name.replace("_", "-")) for name in names]
    return [{"code": [item.concept()]} for item in items if item]


KIND = row_kind(
    name="DetectedIssue",
    route="<uuid:assessment_id>",
    table=Assessment,
    rows=assessments,
    at="assessed_at",
    build=_build,
    date_parameter="identified",
)
