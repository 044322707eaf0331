"""Consent: whom a patient lets see what, why and until when. The signature stays here."""

from __future__ import annotations

from typing import Any

from fhir.resources.R4B.consent import Consent as ConsentResource

from backend.accounts.consent_texts import say, say_situation
from backend.accounts.models import Consent
from backend.fhir.kinds import Reader, concept
from backend.fhir.labels import ACT_CODE, META
from backend.fhir.resources.rows import row_kind
from backend.fhir.selectors import consents

SCOPE = "urn:handrail:consent-scope"
SITUATION = "urn:handrail:consent-situation"
PURPOSE = "urn:handrail:consent-purpose"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PRIVACY = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    ]
}
DISCLOSURE = {"coding": [{"system": ACT_CODE, "code": "IDSCL"}]}
PART_2 = {"coding": [{"system": ACT_CODE, "code": "42CFRPart2"}]}
RECEIVES = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            "code": "IRCP",
        }
    ]
}
# Purposes that mean the same to everybody; ours stands beside them.
KNOWN_PURPOSES = {
    "treatment": "TREAT",
    "coordination": "COC",
    "support": "SUPNWK",
    "payment": "HPAYMT",
    "own_request": "PATRQT",
}


def _purposes(row: Consent) -> list[dict[str, str]]:
    known = KNOWN_PURPOSES.get(row.purpose)
    ours = [{"system": PURPOSE, "code": row.purpose}]
    return [{"system": ACT_REASON, "code": known}, *ours] if known else ours


def _recipient(row: Consent) -> dict[str, Any]:
    named = ", ".join(filter(None, (row.recipient_name, row.recipient_affiliation)))
    return {"role": RECEIVES, "reference": {"display": named}}


def _build(row: Consent, reader: Reader) -> Any:
    period: dict[str, Any] = {"start": row.signed_at}
    if row.expires_on is not None:
        period["end"] = row.expires_on.isoformat()
    scopes = [
        concept(SCOPE, scope, say("scopes", scope, language=reader.language))
        for scope in row.scopes
    ]
    # In these, and in no other, a support contact is told anything: part of what is permitted.
    situations = [
        concept(SITUATION, name, say_situation(name, language=reader.language))
        for name in row.situations
    ]
    return ConsentResource.model_validate(
        {
            "id": str(row.pk),
            "meta": META,
            "language": reader.language,
            "status": "active" if getattr(row, "is_live") else "inactive",  # noqa: B009
            "scope": PRIVACY,
            "category": [DISCLOSURE],
            "patient": reader.subject,
            "dateTime": row.signed_at,
            "performer": [reader.subject],
            "organization": [{"display": row.discloser_name}],
            "policyRule": PART_2,
            "provision": {
                "type": "permit",
                "period": period,
                "actor": [_recipient(row)],
                "purpose": _purposes(row),
                "code": [*scopes, *situations],
            },
        }
    )


KIND = row_kind(
    name="Consent",
    route="<uuid:consent_id>",
    table=Consent,
    rows=consents,
    at="signed_at",
    build=_build,
    date_parameter="date",
)
