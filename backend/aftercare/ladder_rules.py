"""What an organisation's ladder may say: its rungs, how long each may be silent, by which ways.

Pure. The floors are fixed: the last rung is a clinical supervisor, no rung may be silent for
longer than somebody is expected to take to look, and each rung has a way that wakes somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from backend.aftercare.decision_rules import Severity
from backend.aftercare.policy import RESPONSE

VERSION = "1"


class Who(StrEnum):
    """Who stands on a rung. A therapist or case manager is one of the patient's own care team."""

    CARE_TEAM = "care_team"
    THERAPIST = "therapist"
    CASE_MANAGER = "case_manager"
    ON_CALL = "on_call"
    CLINICAL_SUPERVISOR = "clinical_supervisor"
    NAMED = "named"


class Way(StrEnum):
    """How a rung is told. `push` is every phone and browser of the account."""

    PUSH = "push"
    SMS = "sms"
    EMAIL = "email"


WAKES = frozenset({Way.PUSH, Way.SMS})
PASSED_ON = (Severity.CRITICAL, Severity.HIGH)
SHORTEST: Mapping[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=2),
    Severity.HIGH: timedelta(minutes=15),
}
LONGEST: Mapping[Severity, timedelta] = {one: RESPONSE[one].due_within for one in PASSED_ON}
# Imminent risk is responded to within 12 hours of learning of it (Nock 2020, Delphi consensus).
SUPERVISOR_WITHIN: Mapping[Severity, timedelta] = {
    Severity.CRITICAL: timedelta(minutes=45),
    Severity.HIGH: timedelta(hours=12),
}


@dataclass(frozen=True, slots=True)
class Rung:
    """`silent` says, in whole minutes by severity, how long it may be silent before the next one
    is told. No `ways` are all that work. `user_ids` are the accounts of `clinician_ids`."""

    who: Who
    silent: Mapping[str, int]
    ways: tuple[str, ...] = ()
    clinician_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As a version of a ladder holds it."""
        return {
            "who": self.who.value,
            "silent": dict(self.silent),
            "ways": list(self.ways),
            "clinician_ids": list(self.clinician_ids),
            "user_ids": list(self.user_ids),
        }


def rung_of(stored: Mapping[str, Any]) -> Rung:
    """The other way round."""
    return Rung(
        who=Who(stored["who"]),
        silent=dict(stored["silent"]),
        ways=tuple(stored["ways"]),
        clinician_ids=tuple(stored["clinician_ids"]),
        user_ids=tuple(stored["user_ids"]),
    )


def _standard(who: Who) -> Rung:
    waits = {one.value: RESPONSE[one].next_level_after for one in PASSED_ON}
    return Rung(who, {name: _minutes(wait) for name, wait in waits.items() if wait is not None})


def _minutes(wait: timedelta) -> int:
    return int(wait.total_seconds()) // 60


STANDARD = tuple(_standard(who) for who in (Who.CARE_TEAM, Who.ON_CALL, Who.CLINICAL_SUPERVISOR))
"""The ladder of an organisation that has chosen none."""


def faults(rungs: Sequence[Rung]) -> Iterator[tuple[str, str]]:
    """A JSON pointer and a stable code for each thing that is wrong; nothing for a sound ladder."""
    if not rungs:
        yield "/rungs", "empty_ladder"
        return
    for index, rung in enumerate(rungs):
        yield from _faults_of(rung, f"/rungs/{index}")
        if rung.who is not Who.NAMED and rung.who in {one.who for one in rungs[:index]}:
            yield f"/rungs/{index}/who", "contradiction"
    if rungs[-1].who is not Who.CLINICAL_SUPERVISOR:
        yield f"/rungs/{len(rungs) - 1}/who", "last_rung_not_supervisor"
    for severity, most in SUPERVISOR_WITHIN.items():
        before = sum(rung.silent.get(severity.value, 0) for rung in rungs[:-1])
        if before > _minutes(most):
            yield "/rungs", "supervisor_too_late"


def _faults_of(rung: Rung, where: str) -> Iterator[tuple[str, str]]:
    if (rung.who is Who.NAMED) != bool(rung.clinician_ids):
        yield f"{where}/clinician_ids", "named_mismatch"
    for severity in PASSED_ON:
        wait = timedelta(minutes=rung.silent.get(severity.value, 0))
        if not SHORTEST[severity] <= wait <= LONGEST[severity]:
            yield f"{where}/silent_minutes/{severity.value}", "out_of_bounds"
    if rung.ways and WAKES.isdisjoint(rung.ways):
        yield f"{where}/channels", "wakes_nobody"
    if len(set(rung.ways)) < len(rung.ways):
        yield f"{where}/channels", "contradiction"
