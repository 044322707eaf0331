"""The same people as everywhere, and the schema that HL7 publishes for R4."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.conftest import lacking
from tests.fhir.reading import Caller
from tests.people import People

HERE = Path(__file__).parent
FOLDER = HERE / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
SCHEMA = FOLDER / "fhir.schema.json"


# What the package adds for its own server; the rest is HL7's, word for word, of all we send.
ADDED = {
    "Extension": {"valueMeta"},
    "Meta": {"account", "author", "compartment", "project"},
    "OperationOutcome": {"resource", "status"},
    "Reference": {"resource"},
}
SENT = (
    "Bundle", "CapabilityStatement", "CareTeam", "Communication", "Consent", "DetectedIssue",
    "Flag", "Observation", "OperationOutcome", "Patient",
)  # fmt: skip


class Validator:
    """Each resource by its own type first, so that an error says what is wrong."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._known = {name: _compiled(name, definitions) for name in SENT}

    def faults(self, resource: Any) -> list[str]:
        kind = resource["resourceType"]
        inside = [self.faults(entry["resource"]) for entry in resource.get("entry", [])]
        found = [error.message for error in self._known[kind].iter_errors(resource)]
        return [fault for faults in inside for fault in faults] + [f"{kind}: {f}" for f in found]


def _compiled(name: str, definitions: dict[str, Any]) -> Any:
    return jsonschema_rs.Draft6Validator(
        {"$ref": f"#/definitions/{name}", "definitions": definitions}
    )


def _definitions() -> dict[str, Any]:
    """HL7's definitions of what we send and of all that it is made of."""
    assert "version=4.0.1" in (FOLDER / "version.info").read_text()
    whole = json.loads(SCHEMA.read_text())["definitions"]
    for name, properties in ADDED.items():
        for added in properties:
            del whole[name]["properties"][added]
    whole["ResourceList"] = {"oneOf": [{"$ref": f"#/definitions/{name}"} for name in SENT]}
    kept: dict[str, Any] = {}
    wanted = list(SENT)
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept[name] = whole[name]
            wanted += re.findall(r'"#/definitions/(\w+)"', json.dumps(whole[name]))
    return kept


@pytest.fixture(scope="session")
def validator() -> Validator:
    """FHIR R4 4.0.1, from a package that carries its schema, by the lock beside this file."""
    if not SCHEMA.exists() and shutil.which("npm"):
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=False, capture_output=True, timeout=120)
    if not SCHEMA.exists():
        lacking("the schema of FHIR R4", f"npm ci in tests/{HERE.name}")
    return Validator(_definitions())


@pytest.fixture
def patient(people: People) -> Caller:
    return Caller(people.patient_user)


@pytest.fixture
def therapist(people: People) -> Caller:
    return Caller(people.therapist.user)


@pytest.fixture
def stranger(people: People) -> Caller:
    return Caller(people.stranger.user)
