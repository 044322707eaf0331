"""What leaves is FHIR R4 4.0.1, by the schema that HL7 publishes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fhir.conftest import Validator
from tests.fhir.reading import FULL, NOON, Caller, check_in, record_all, resources
from tests.people import People

SERVED = {
    "Patient", "CareTeam", "Flag", "DetectedIssue", "Observation", "Communication", "Consent",
}  # fmt: skip


def test_everything_is_what_the_schema_says(
    people: People, patient: Caller, therapist: Caller, validator: Validator
) -> None:
    record_all(people.patient, note_shared=True)
    for caller in (patient, therapist):
        bundle = caller.read(f"Patient/{people.patient.pk}/$everything")
        assert {one["resourceType"] for one in resources(bundle)} == SERVED
        assert validator.faults(bundle) == []


def test_every_search_and_every_read_is_what_the_schema_says(
    people: People, patient: Caller, validator: Validator
) -> None:
    record_all(people.patient)
    for kind in SERVED:
        found = patient.read(kind)
        assert resources(found), kind
        assert validator.faults(found) == []
        for one in resources(found):
            assert patient.read(f"{kind}/{one['id']}") == one


def test_nothing_recorded_is_valid_too(
    people: People, patient: Caller, validator: Validator
) -> None:
    assert validator.faults(patient.read("Observation")) == []
    assert resources(patient.read("Observation")) == []
    bundle = patient.read(f"Patient/{people.patient.pk}/$everything")
    assert [one["resourceType"] for one in resources(bundle)] == ["Patient", "CareTeam"]
    assert validator.faults(bundle) == []


def test_errors_and_the_statement_are_what_the_schema_says(
    people: People, patient: Caller, validator: Validator
) -> None:
    assert validator.faults(patient.get("Observation?nonsense=1").json()) == []
    assert validator.faults(Caller(None).get("Observation").json()) == []
    assert validator.faults(Caller(None).read("metadata")) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "Flag", "id": "a"},
        {"resourceType": "Observation", "status": "invented", "code": {"text": "a"}},
        {"resourceType": "Patient", "birthDate": "yesterday"},
        {"resourceType": "Patient", "shoe_size": 43},
        {"resourceType": "Flag", "meta": {"project": "a"}},
        {"resourceType": "Bundle", "total": "one"},
    ],
)
def test_the_schema_would_see_a_fault(broken: dict[str, Any], validator: Validator) -> None:
    assert validator.faults(broken)


def test_an_amended_check_in_and_another_zone_stay_valid(
    people: People, patient: Caller, validator: Validator
) -> None:
    row = check_in(people.patient, **FULL)
    type(row).objects.filter(pk=row.pk).update(
        revision=2, utc_offset_minutes=-570, recorded_at=NOON + timedelta(microseconds=5)
    )
    found = patient.read(f"Observation/{row.pk}-mood")
    assert found["status"] == "amended"
    assert found["effectiveDateTime"] == "2026-03-04T07:30:00.000005-09:30"
    assert validator.faults(found) == []
