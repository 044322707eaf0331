"""The second reading of a refused body: only what could be acute, however broken the rest is. Pure.

A person who says "I'm not safe now" must be heard although a date is wrong, a note is too long
or the JSON is cut off in the middle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from backend.aftercare.decision_rules import AcuteFacts
from backend.intake.bodies import Substance, Symptom

READ_AT_MOST = 4 * 1024 * 1024
_NAMESPACE = UUID("6f1b7a0e-5d0c-4a51-9a3f-0f6f0b6e2d11")
_SUBSTANCES = frozenset(Substance.__args__)  # type: ignore[attr-defined]
_SYMPTOMS = frozenset(Symptom.__args__)  # type: ignore[attr-defined]
# A member at the outermost reading of broken JSON. The lookbehind keeps out what stands escaped
# inside a note.
_SCALAR = re.compile(
    rb'(?<!\\)"(id|not_safe|use_reported|withdrawal_reported|mood|craving|confidence|sleep_hours)"'
    rb'\s*:\s*(true|false|-?\d{1,4}(?:\.\d{1,4})?|"[0-9a-fA-F-]{32,36}")'
)
_LIST = re.compile(
    rb'(?<!\\)"(use_substances|withdrawal_substances|withdrawal_symptoms)"\s*:\s*\[([^\]]{0,400})'
)


@dataclass(frozen=True, slots=True)
class LenientReading:
    """`client_id` is the body's own id, or one derived from its bytes where that is unreadable."""

    client_id: UUID
    facts: AcuteFacts


def read_leniently(raw: bytes) -> LenientReading:
    """Reads what it can and never raises. Valid acute values count, all else is passed over."""
    members = _members(raw[:READ_AT_MOST])
    return LenientReading(client_id=_client_id(members.get("id"), raw), facts=_facts(members))


def _members(raw: bytes) -> Mapping[str, Any]:
    try:
        # strict=False lets control characters through, NUL among them.
        parsed = json.loads(raw.decode("utf-8", errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return _scan(raw)
    return parsed if isinstance(parsed, dict) else {}


def _scan(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _SCALAR.findall(raw):
        found.setdefault(name.decode(), json.loads(value))
    for name, inner in _LIST.findall(raw):
        found.setdefault(name.decode(), [v.decode("ascii", "replace") for v in _words(inner)])
    return found


def _words(inner: bytes) -> list[bytes]:
    return re.findall(rb'"([a-z_]{1,24})"', inner)


def _client_id(value: Any, raw: bytes) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        return uuid5(_NAMESPACE, raw[:READ_AT_MOST].decode("latin-1"))


def _facts(members: Mapping[str, Any]) -> AcuteFacts:
    sleep = _number(members.get("sleep_hours"), 24)
    return AcuteFacts(
        not_safe=members.get("not_safe") is True,
        mood=_rating(members.get("mood")),
        craving=_rating(members.get("craving")),
        confidence=_rating(members.get("confidence")),
        sleep_hours=None if sleep is None else float(sleep),
        use_reported=members.get("use_reported") is True,
        use_substances=_chosen(members.get("use_substances"), _SUBSTANCES),
        withdrawal_reported=members.get("withdrawal_reported") is True,
        withdrawal_substances=_chosen(members.get("withdrawal_substances"), _SUBSTANCES),
        withdrawal_symptoms=_chosen(members.get("withdrawal_symptoms"), _SYMPTOMS),
    )


def _number(value: Any, highest: int) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= highest else None


def _rating(value: Any) -> int | None:
    number = _number(value, 10)
    return int(number) if number is not None and number == int(number) else None


def _chosen(value: Any, known: frozenset[str]) -> frozenset[str]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(word for word in value if isinstance(word, str) and word in known)
