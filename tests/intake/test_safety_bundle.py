"""The bundle holds everything for helping offline, and its vectors are the server's own rules."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from backend.aftercare.decision_rules import Rule, Thresholds
from tests.people import People
from tests.phones import Phone


@pytest.fixture
def bundle(phone: Phone) -> dict[str, Any]:
    found: dict[str, Any] = phone.get("/me/safety-bundle").json()
    return found


def test_an_unchanged_bundle_is_not_sent_again(phone: Phone):
    first = phone.get("/me/safety-bundle")
    again = phone.get("/me/safety-bundle", **{"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first["Cache-Control"] == "no-store"


def test_another_language_is_another_version(phone: Phone, people: People, bundle):
    people.patient_user.language = "es"
    people.patient_user.save()
    spanish = phone.get("/me/safety-bundle").json()
    assert spanish["version"] != bundle["version"]
    assert spanish["texts"]["promise.unsent"] == "Esto no se ha enviado. Nadie lo ha visto."


def test_every_rule_is_there_with_its_words_and_vectors(bundle: dict[str, Any]):
    rules = {rule["rule"] for rule in bundle["acute_rules"]["rules"]}
    assert rules == {rule.value for rule in Rule}
    assert all(bundle["texts"][f"support.{rule}"] for rule in rules)
    expected = {e["rule"] for v in bundle["acute_rules"]["test_vectors"] for e in v["expect"]}
    assert expected == rules
    assert bundle["acute_rules"]["thresholds"]["craving"] == Thresholds().craving


def holds(condition: dict[str, Any], vector: dict[str, Any], limits: dict[str, float]) -> bool:
    """The reading of a rule that docs give an app's author, written again from the data alone."""
    said, recent = vector["check_in"], vector["recent"]
    compare = {"at_least": operator.ge, "at_most": operator.le, "under": operator.lt}
    for key, wanted in condition.items():
        if key.endswith("_include"):
            if not set(said.get(key.removesuffix("_include"), ())) & set(wanted):
                return False
            continue
        suffix = next((s for s in compare if key.endswith(s)), None)
        if suffix is None:
            if not said.get(key):
                return False
            continue
        name, limit = key.removesuffix(f"_{suffix}"), limits[wanted]
        if name.startswith("nearby_"):
            plural = {"nearby_mood": "nearby_moods"}.get(name, name)
            values = recent.get(plural, [])
        else:
            values = [said[name]] if name in said else []
        if not any(compare[suffix](value, limit) for value in values):
            return False
    return True


def test_an_app_that_reads_the_rules_as_data_agrees_with_every_vector(bundle):
    rules, limits = bundle["acute_rules"]["rules"], bundle["acute_rules"]["thresholds"]
    for vector in bundle["acute_rules"]["test_vectors"]:
        found = {
            rule["rule"]
            for rule in rules
            if any(holds(c, vector, limits) for c in rule.get("when_any", [rule.get("when")]))
        }
        found = {
            name
            for name in found
            if not any(r["rule"] == name and r.get("unless") in found for r in rules)
        }
        assert found == {match["rule"] for match in vector["expect"]}, vector
