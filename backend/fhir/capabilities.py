"""What this server can be asked, for programs: made of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from backend.fhir.kinds import Kind

FHIR_VERSION = "4.0.1"
WRITTEN_ON = "2026-11-25"
SECURITY = (
    "A bearer token. Patients read their own, clinicians what is their patients'; "
    "every read is audited."
)
OPERATION = "http://hl7.org/fhir/OperationDefinition/Patient-{name}"


def capability_statement(kinds: Sequence[Kind], *, base: str) -> CapabilityStatement:
    """`base` is the address of this FHIR server."""
    return CapabilityStatement.model_validate(
        {
            "status": "active",
            "date": WRITTEN_ON,
            "kind": "instance",
            "fhirVersion": FHIR_VERSION,
            "format": ["json"],
            "software": {"name": "Handrail"},
            "implementation": {
                "description": "Reads what is recorded between sessions.",
                "url": base,
            },
            "rest": [
                {
                    "mode": "server",
                    "security": {"description": SECURITY},
                    "resource": [_resource(kind) for kind in kinds],
                }
            ],
        }
    )


def _resource(kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": kind.name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": _parameters(kind),
    }
    if kind.operations:
        found["operation"] = [
            {"name": name, "definition": OPERATION.format(name=name)} for name in kind.operations
        ]
    return found


def _parameters(kind: Kind) -> list[dict[str, str]]:
    is_id = kind.patient_parameter == "_id"
    found = [{"name": kind.patient_parameter, "type": "token" if is_id else "reference"}]
    if kind.date_parameter:
        found.append({"name": kind.date_parameter, "type": "date"})
    if kind.has_codes:
        found.append({"name": "code", "type": "token"})
    return found
