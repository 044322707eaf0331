"""Reading the FHIR routes as somebody, and going through their pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.test import Client

from backend.accounts.models import Patient, User
from backend.aftercare.models import Nudge
from backend.intake.bodies import CheckInBody
from backend.intake.services import receive_check_in
from backend.tracking.models import Assessment, CheckIn
from tests.accounts.consenting import sign
from tests.people import actor_for
from tests.phones import make_token

NOON = datetime(2026, 3, 4, 17, 0, tzinfo=UTC)  # a Wednesday, noon in New York
LABELS = {"R", "42CFRPart2", "SUD"}
FULL: dict[str, Any] = {
    "mood": 6,
    "craving": 9,
    "confidence": 4,
    "sleep_hours": 7.25,
    "sleep_quality": 4,
    "exercise_minutes": 30,
    "exercise_kind": "walk",
    "use_reported": True,
    "use_substances": ["alcohol"],
    "use_on": NOON.date(),
    "withdrawal_reported": True,
    "withdrawal_substances": ["opioids"],
    "withdrawal_symptoms": ["shaking"],
    "cues": ["payday", "an old friend"],
    "helped": ["a walk"],
    "note": "sleepless, and proud",
}


class Caller:
    """One account with its token; `user` is None for a stranger."""

    def __init__(self, user: User | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"authorization": f"Bearer {make_token(user)}"} if user else {}

    def get(self, address: str, **headers: str) -> Any:
        """`address` is below `/fhir/`, or a whole one as in a link."""
        path = address.removeprefix("http://testserver")
        path = path if path.startswith("/") else f"/fhir/{path}"
        return self._client.get(path, headers={**self._headers, **headers})

    def read(self, address: str) -> Any:
        answer = self.get(address)
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == "application/fhir+json"
        return answer.json()

    def pages(self, address: str) -> Iterator[Any]:
        """Every page, by the links alone; a link that leads back is not followed for ever."""
        following: str | None = address
        seen: set[str] = set()
        while following:
            assert following not in seen
            seen.add(following)
            bundle = self.read(following)
            yield bundle
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            following = links.get("next")

    def all(self, address: str) -> list[Any]:
        return [one for bundle in self.pages(address) for one in resources(bundle)]


def resources(bundle: Any) -> list[Any]:
    return [entry["resource"] for entry in bundle.get("entry", [])]


def codes(observations: list[Any]) -> list[str]:
    """Our own code of each."""
    return [one["code"]["coding"][-1]["code"] for one in observations]


def labels(resource: Any) -> set[str]:
    return {coding["code"] for coding in resource.get("meta", {}).get("security", [])}


def outcome(answer: Any, status: int) -> tuple[str, str]:
    """The kind of issue and the code of an error, which is an OperationOutcome."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/fhir+json"
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    (issue,) = body["issue"]
    assert issue["severity"] == "error"
    assert issue["details"]["text"]
    return issue["code"], issue["details"]["coding"][0]["code"]


def check_in(patient: Patient, *, at: datetime = NOON, **items: Any) -> CheckIn:
    assert patient.user is not None
    body = CheckInBody(
        id=uuid4(), **{"kind": "daily", "local_date": at.date(), "recorded_at": at, **items}
    )
    return receive_check_in(actor=actor_for(patient.user), body=body, now=at).check_in


SIGNAL = {
    "signal": "sleep_hours", "unit": "hours", "worse_is": "lower", "reason": "shift",
    "baseline": {"low": 7.0, "high": 7.5, "centre": 7.2}, "latest": 5.0, "smoothed": 5.5,
    "slope_per_week": -0.4, "days": 20, "score": 4711.5, "limit": 4712.5,
}  # fmt: skip


def assessment(patient: Patient, *, at: datetime = NOON, trend: str = "worsening") -> Assessment:
    facts = {"began_on": "2026-03-01", "signals": [SIGNAL], "score": 4713.5, "outlook": 4714.5}
    return Assessment.objects.create(
        patient=patient,
        as_of_on=at.date(),
        assessed_at=at,
        ruleset="canary-ruleset",
        trend=trend,
        facts=facts,
        input_digest=b"0" * 32,
    )


def nudge(patient: Patient, *, at: datetime = NOON, why_not: str = "") -> Nudge:
    return Nudge.objects.create(
        patient=patient,
        local_date=at.date(),
        kind="canary-kind",
        reasons=[{"rule": "canary-rule"}],
        decided_at=at,
        was_sent=not why_not,
        why_not=why_not,
    )


def record_all(patient: Patient, *, note_shared: bool = False) -> CheckIn:
    """Some of everything that is served."""
    row = check_in(patient, **FULL, note_shared=note_shared)
    assessment(patient)
    assessment(patient, at=NOON - timedelta(days=1), trend="steady")
    nudge(patient, at=NOON - timedelta(days=2))
    nudge(patient, at=NOON - timedelta(days=3), why_not="budget")
    sign(patient, now=NOON)
    sign(patient, expires_on=NOON.date(), now=NOON)
    return row
