"""What the server says of itself, and that no table about a patient was forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.apps import apps

from backend.accounts.models import Patient
from backend.fhir.capabilities import capability_statement
from backend.fhir.registry import KINDS, NOT_SHOWN
from tests.fhir.reading import Caller, outcome
from tests.people import People

LATER = ("QuestionnaireResponse", "CarePlan", "Goal", "EpisodeOfCare")


def test_the_statement_says_what_is_served(people: People) -> None:
    found = Caller(None).read("metadata")
    assert (found["fhirVersion"], found["kind"], found["format"]) == ("4.0.1", "instance", ["json"])
    (rest,) = found["rest"]
    by_type = {one["type"]: one for one in rest["resource"]}
    assert set(by_type) == {kind.name for kind in KINDS}
    assert {one["name"] for one in by_type["Observation"]["searchParam"]} == {
        "patient", "date", "code",
    }  # fmt: skip
    assert by_type["Patient"]["operation"][0]["name"] == "everything"
    assert set(LATER) & set(by_type) == set()


def test_a_type_that_is_added_is_told_by_itself() -> None:
    added = [*KINDS, replace(KINDS[2], name="Goal")]
    (rest,) = capability_statement(added, base="http://testserver/fhir").rest or []
    assert [one.type for one in rest.resource or []][-1] == "Goal"


def test_every_table_about_a_patient_is_shown_or_left_out_for_a_reason() -> None:
    about = {
        model._meta.label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete and field.is_relation and field.related_model is Patient
    } | {Patient._meta.label}
    shown = {table._meta.label for kind in KINDS for table in kind.tables}
    assert about - shown - set(NOT_SHOWN) == set()
    assert set(NOT_SHOWN) - about == set()
    assert shown & set(NOT_SHOWN) == set()
    assert all(NOT_SHOWN.values())


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("application/fhir+xml", 406),
    ],
)
def test_it_speaks_json_alone(people: People, accept: str, status: int) -> None:
    answer = Caller(None).get("metadata", accept=accept)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/fhir+json"
    if status == 406:
        assert outcome(answer, 406) == ("not-supported", "not_acceptable")
