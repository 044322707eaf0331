"""What stands in a resource, what is on all of them, and what is in none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from backend.accounts.consent_scopes import ConsentScope
from backend.accounts.models import User
from backend.accounts.recipients import Recipient
from backend.accounts.services import revoke_consent
from backend.aftercare.models import Alert
from backend.fhir.registry import KINDS
from backend.tracking.models import Assessment
from tests.accounts.consenting import own, sign
from tests.aftercare.test_worsening import declining, live, steady
from tests.fhir.conftest import Validator
from tests.fhir.reading import (
    FULL,
    LABELS,
    NOON,
    Caller,
    assessment,
    check_in,
    labels,
    nudge,
    outcome,
    record_all,
    resources,
)
from tests.people import People


def test_every_resource_and_every_bundle_is_labelled(
    people: People, patient: Caller, therapist: Caller
) -> None:
    record_all(people.patient)
    paths = [f"Patient/{people.patient.pk}/$everything?_count=5"]
    paths += [f"{kind.name}?{kind.patient_parameter}={people.patient.pk}" for kind in KINDS]
    for caller in (patient, therapist):
        for path in paths:
            for bundle in caller.pages(path):
                assert labels(bundle) == LABELS
                assert [one for one in resources(bundle) if labels(one) != LABELS] == []
                for one in resources(bundle):
                    assert labels(caller.read(f"{one['resourceType']}/{one['id']}")) == LABELS


def test_the_labels_are_those_of_hl7(people: People, patient: Caller) -> None:
    (found,) = patient.all("Patient")
    assert {
        (one["system"].rpartition("/")[2], one["code"]) for one in found["meta"]["security"]
    } == {
        ("v3-Confidentiality", "R"),
        ("v3-ActCode", "42CFRPart2"),
        ("v3-ActCode", "SUD"),
    }


def names_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield name
            yield from names_in(value)
    if isinstance(node, list):
        for value in node:
            yield from names_in(value)


def test_scores_outlooks_and_messages_never_leave(
    people: People, patient: Caller, therapist: Caller
) -> None:
    record_all(people.patient, note_shared=True)
    for caller in (patient, therapist):
        found = caller.all(f"Patient/{people.patient.pk}/$everything")
        assert {"DetectedIssue", "Communication"} <= {one["resourceType"] for one in found}
        text = json.dumps(found)
        hidden = ("4711", "4712", "4713", "4714", "0.4", "canary", "score", "outlook", "ruleset")
        assert [word for word in hidden if word in text] == []
        forbidden = {"payload", "prediction", "probabilityDecimal", "probability", "severity"}
        assert forbidden & set(names_in(found)) == set()


def test_an_observation_of_ours_and_one_that_everybody_knows(
    people: People, patient: Caller
) -> None:
    row = check_in(people.patient, mood=6, sleep_hours=7.25, exercise_minutes=30)
    mood = patient.read(f"Observation/{row.pk}-mood")
    assert mood["code"] == {
        "coding": [{"system": "urn:handrail:check-in", "code": "mood"}],
        "text": "Mood",
    }
    assert (mood["valueInteger"], mood["status"]) == (6, "final")
    assert mood["category"][0]["coding"][0]["code"] == "survey"
    assert mood["subject"] == mood["performer"][0] == {"reference": f"Patient/{people.patient.pk}"}
    assert mood["effectiveDateTime"] == "2026-03-04T17:00:00Z"
    sleep = patient.read(f"Observation/{row.pk}-sleep-hours")
    assert sleep["code"]["coding"][0]["code"] == "93832-4"
    assert sleep["valueQuantity"] == {
        "value": 7.25, "unit": "h", "system": "http://unitsofmeasure.org", "code": "h",
    }  # fmt: skip
    exercise = patient.read(f"Observation/{row.pk}-exercise-minutes")
    assert exercise["code"]["coding"][0] == {
        "system": "http://loinc.org", "code": "55411-3", "display": "Exercise duration",
    }  # fmt: skip
    assert exercise["valueQuantity"]["value"] == 30


def test_no_item_has_a_code_of_loinc_but_two(people: People, patient: Caller) -> None:
    check_in(people.patient, **FULL, not_safe=True)
    known = [
        coding["code"]
        for one in patient.all("Observation")
        for coding in one["code"]["coding"]
        if coding["system"] == "http://loinc.org"
    ]
    assert known == ["93832-4", "55411-3"]


def test_use_carries_what_and_when(people: People, patient: Caller) -> None:
    row = check_in(people.patient, **FULL)
    use = patient.read(f"Observation/{row.pk}-use-reported")
    assert use["valueBoolean"] is True
    what, when = use["component"]
    assert what["valueCodeableConcept"]["coding"][0]["code"] == "alcohol"
    assert when["valueDateTime"] == "2026-03-04"


def test_a_skipped_item_is_absent_and_a_zero_is_not(people: People, patient: Caller) -> None:
    row = check_in(people.patient, craving=0, use_reported=False)
    found = [
        (one["id"], one.get("valueInteger", one.get("valueBoolean")))
        for one in patient.all("Observation")
    ]
    assert found == [(f"{row.pk}-craving", 0), (f"{row.pk}-use-reported", False)]


def test_a_trend_is_a_direction_with_its_sentence(people: People, patient: Caller) -> None:
    row = assessment(people.patient)
    found = patient.read(f"DetectedIssue/{row.pk}")
    assert found["code"]["coding"] == [{"system": "urn:handrail:trend", "code": "worsening"}]
    assert found["code"]["text"] == "Worsening"
    assert "sleep" in found["detail"].lower()
    assert found["evidence"][0]["code"][0]["coding"][0]["code"] == "93832-4"


def test_a_trend_that_was_measured_tells_no_more(
    people: People, therapist: Caller, validator: Validator
) -> None:
    live(people, steady(45) + declining(14))
    found = therapist.all(f"DetectedIssue?patient={people.patient.pk}")
    assert len(found) == Assessment.objects.count() > 50
    assert {one["code"]["coding"][0]["code"] for one in found} >= {"unknown", "steady", "worsening"}
    shown = {"id", "meta", "language", "status", "code", "patient", "detail", "evidence"}
    shown |= {"resourceType", "identifiedDateTime"}
    for one in found:
        assert set(one) <= shown
        assert validator.faults(one) == []
    assert found[0]["detail"].startswith("Worse than usual since")
    assert found[0]["evidence"]


def test_a_flag_stands_until_its_alert_is_resolved(
    people: People, patient: Caller, therapist: Caller
) -> None:
    check_in(people.patient, craving=9)
    alert = Alert.objects.get(patient=people.patient)
    (flag,) = therapist.all(f"Flag?patient={people.patient.pk}")
    assert (flag["id"], flag["status"]) == (str(alert.pk), "active")
    assert flag["code"]["coding"][0]["code"] == "craving"
    assert flag["category"][1]["coding"][0]["code"] == "high"
    Alert.objects.filter(pk=alert.pk).update(status="resolved", resolved_at=NOON, outcome="reached")
    assert therapist.all(f"Flag?patient={people.patient.pk}") == []
    outcome(patient.get(f"Flag/{alert.pk}"), 404)


def test_a_nudge_that_was_not_sent_says_why(people: People, patient: Caller) -> None:
    sent, kept = (
        nudge(people.patient),
        nudge(people.patient, at=NOON - timedelta(days=1), why_not="budget"),
    )
    found = patient.read(f"Communication/{sent.pk}")
    assert (found["status"], found["sent"]) == ("completed", "2026-03-04T17:00:00Z")
    found = patient.read(f"Communication/{kept.pk}")
    assert (found["status"], "sent" in found) == ("not-done", False)
    assert found["statusReason"]["coding"][0]["code"] == "budget"


def test_the_patient_and_their_care_team(people: People, therapist: Caller) -> None:
    found = therapist.read(f"Patient/{people.patient.pk}")
    assert found["name"] == [{"family": "Doe", "given": ["Alice"]}]
    assert (found["birthDate"], found["active"]) == ("1990-05-17", True)
    team = therapist.read(f"CareTeam/{people.patient.pk}")
    (member,) = team["participant"]
    assert member["member"]["display"] == "Bob"
    assert member["role"][0]["text"] == "Therapist"


def test_a_consent_says_whom_what_for_and_until_when(
    people: People, patient: Caller, therapist: Caller
) -> None:
    row = sign(people.patient, scopes=(ConsentScope.TRENDS, ConsentScope.CHECK_INS))
    for caller in (patient, therapist):
        found = caller.read(f"Consent/{row.pk}")
        assert (found["status"], found["provision"]["type"]) == ("active", "permit")
        assert found["patient"] == {"reference": f"Patient/{people.patient.pk}"}
        (actor,) = found["provision"]["actor"]
        assert actor["reference"] == {"display": "Rosa Marin, my aunt"}
        assert actor["role"]["coding"][0]["code"] == "IRCP"
        assert row.expires_on is not None
        assert found["provision"]["period"]["end"] == row.expires_on.isoformat()
        said = [one["coding"][0]["code"] for one in found["provision"]["code"]]
        assert said == ["check_ins", "trends"]
        purposes = [one["code"] for one in found["provision"]["purpose"]]
        assert purposes == ["SUPNWK", "support"]
        assert found["policyRule"]["coding"][0]["code"] == "42CFRPart2"
        assert "Alice Doe" not in json.dumps(found)


def test_a_consent_for_a_support_contact_lists_its_situations_in_words(
    people: People, patient: Caller, therapist: Caller
) -> None:
    maria = Recipient("support_contact", "Maria", contact_id=uuid4())
    row = sign(people.patient, recipient=maria, situations=("silence", "asked"))
    for caller in (patient, therapist):
        found = caller.read(f"Consent/{row.pk}")["provision"]["code"]
        listed = {
            (one["coding"][0]["system"].rpartition("-")[2], one["coding"][0]["code"], one["text"])
            for one in found
        }
        assert listed == {
            ("scope", "check_ins", "What I record in check-ins, without notes"),
            ("situation", "asked", "when I ask them to get in touch"),
            ("situation", "silence", "when nothing has come from me for some days"),
        }


def test_a_consent_for_somebody_else_lists_no_situation(people: People, patient: Caller) -> None:
    found = patient.read(f"Consent/{sign(people.patient).pk}")
    assert "consent-situation" not in json.dumps(found)


def test_a_consent_that_was_taken_back_is_inactive_at_once(
    people: People, patient: Caller, therapist: Caller
) -> None:
    row = sign(people.patient)
    assert therapist.read(f"Consent/{row.pk}")["status"] == "active"
    revoke_consent(actor=own(people.patient), consent_id=row.pk, now=timezone.now())
    for caller in (patient, therapist):
        assert caller.read(f"Consent/{row.pk}")["status"] == "inactive"


def test_words_for_people_come_in_their_language(people: People, patient: Caller) -> None:
    User.objects.filter(pk=people.patient_user.pk).update(language="es")
    record_all(people.patient)
    found = {
        one["code"]["coding"][-1]["code"]: one
        for kind in ("Observation", "Flag", "DetectedIssue")
        for one in patient.all(kind)
    }
    texts = {code: one["code"]["text"] for code, one in found.items()}
    assert texts["mood"] == "Ánimo"
    assert texts["helped"] == "Qué ayudó"
    assert texts["worsening"] == "A peor"
    assert {one["language"] for one in found.values()} == {"es"}
    (team,) = patient.all("CareTeam")
    assert team["participant"][0]["role"][0]["text"] == "Terapeuta"
    issue = patient.get("Observation?nonsense=1").json()["issue"][0]
    assert "no conoce" in issue["details"]["text"]
