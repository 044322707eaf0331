"""Everything that an app needs to help without a connection: words, lines, rules, test vectors.

The rules are the server's own, as data, with vectors that the server's code made; an app that
agrees with every vector decides as the server would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import msgspec

from backend.accounts.models import Patient
from backend.aftercare import crisis_resources, texts
from backend.aftercare.decision_rules import (
    DANGEROUS_SUBSTANCES,
    DANGEROUS_SYMPTOMS,
    VERSION,
    AcuteFacts,
    RecentFacts,
    Rule,
    Thresholds,
    match_acute_rules,
)
from backend.aftercare.own_plan import own_plan, show_contacts, show_steps
from backend.aftercare.support import crisis_lines

OFFLINE_TEXTS = (
    "promise.unsent",
    "promise.nobody_told",
    "notes.not_read",
    "use.who_sees",
    "button.not_safe",
)
_DAY = date(2026, 3, 2)


def safety_bundle(
    patient: Patient, *, country: str, language: str, now: datetime
) -> dict[str, Any]:
    """The bundle in one language, with a `version` that changes whenever anything in it does."""
    own = own_plan(patient.pk, now=now)
    content: dict[str, Any] = {
        "language": language,
        "acute_rules": {
            "version": VERSION,
            "thresholds": asdict(Thresholds()),
            "rules": list(RULES),
            "test_vectors": [_vector(facts, recent) for facts, recent in _CASES],
        },
        "texts": {**_support_texts(language), **_offline_texts(language)},
        "crisis_resources": crisis_lines(
            [code for code in (country, patient.country) if code], language=language
        ),
        "safety_plan": None,
        "coping_steps": show_steps(own.ranked()),
        "support_contacts": show_contacts(own.contacts),
        "sources": {
            "texts": texts.data_version(),
            "crisis_resources": crisis_resources.data_version(),
        },
    }
    encoded = msgspec.json.encode(content, order="deterministic")
    return {"version": hashlib.sha256(encoded).hexdigest()[:16], **content}


def _offline_texts(language: str) -> dict[str, str]:
    # The app fills in who sees it, from what the server told it last.
    return {
        text_id: texts.render(text_id, language=language, who="{who}") for text_id in OFFLINE_TEXTS
    }


def _support_texts(language: str) -> dict[str, list[str]]:
    substances = ("opioids", "alcohol", "benzodiazepines")
    return {
        f"support.{rule.value}": list(texts.support_for(rule, language=language)) for rule in Rule
    } | {
        f"support.use_reported.{name}": [
            texts.render(f"support.use_reported.{name}", language=language)
        ]
        for name in substances
    }


# One entry a rule, in the words of a check-in's own fields. `nearby` means the day before or after.
RULES: Sequence[Mapping[str, Any]] = (
    {"rule": "not_safe", "severity": "critical", "when": {"not_safe": True}},
    {
        "rule": "withdrawal_dangerous",
        "severity": "critical",
        "when_any": [
            {"withdrawal_symptoms_include": sorted(DANGEROUS_SYMPTOMS)},
            {"withdrawal_substances_include": sorted(DANGEROUS_SUBSTANCES)},
        ],
    },
    {
        "rule": "withdrawal",
        "severity": "high",
        "when_any": [
            {"withdrawal_reported": True},
            {"withdrawal_symptoms": "any"},
            {"withdrawal_substances": "any"},
        ],
        "unless": "withdrawal_dangerous",
    },
    {
        "rule": "low_mood",
        "severity": "high",
        "when_any": [
            {"mood_at_most": "mood"},
            {"mood_at_most": "mood_two_days", "nearby_mood_at_most": "mood_two_days"},
        ],
    },
    {
        "rule": "use_reported",
        "severity": "high",
        "when": {"use_reported": True},
        "medium_when": {"days_since_last_use_under": 7},
    },
    {"rule": "craving", "severity": "high", "when": {"craving_at_least": "craving"}},
    {"rule": "confidence", "severity": "medium", "when": {"confidence_at_most": "confidence"}},
    {
        "rule": "short_sleep",
        "severity": "medium",
        "when": {"sleep_hours_under": "sleep_hours", "nearby_sleep_hours_under": "sleep_hours"},
    },
)

_NONE = RecentFacts()
_CASES: Sequence[tuple[AcuteFacts, RecentFacts]] = (
    (AcuteFacts(), _NONE),
    (AcuteFacts(mood=6, craving=3, confidence=7, sleep_hours=7.5), _NONE),
    (AcuteFacts(not_safe=True), _NONE),
    (AcuteFacts(craving=7), _NONE),
    (AcuteFacts(craving=8), _NONE),
    (AcuteFacts(mood=2), _NONE),
    (AcuteFacts(mood=1), _NONE),
    (AcuteFacts(mood=2), RecentFacts(nearby_moods=(2,))),
    (AcuteFacts(mood=2), RecentFacts(nearby_moods=(3,))),
    (AcuteFacts(confidence=4), _NONE),
    (AcuteFacts(confidence=3), _NONE),
    (AcuteFacts(sleep_hours=3.75), _NONE),
    (AcuteFacts(sleep_hours=3.75), RecentFacts(nearby_sleep_hours=(3.5,))),
    (AcuteFacts(sleep_hours=3.75), RecentFacts(nearby_sleep_hours=(4.0,))),
    (AcuteFacts(use_reported=True), _NONE),
    (AcuteFacts(use_reported=True), RecentFacts(last_use_on=date(2026, 2, 24))),
    (AcuteFacts(use_reported=True), RecentFacts(last_use_on=date(2026, 2, 23))),
    (AcuteFacts(withdrawal_reported=True), _NONE),
    (AcuteFacts(withdrawal_symptoms=frozenset({"sweating"})), _NONE),
    (AcuteFacts(withdrawal_symptoms=frozenset({"seizure"})), _NONE),
    (AcuteFacts(withdrawal_substances=frozenset({"alcohol"})), _NONE),
    (AcuteFacts(withdrawal_substances=frozenset({"opioids"})), _NONE),
    (AcuteFacts(not_safe=True, craving=9, confidence=2), _NONE),
)


def _vector(facts: AcuteFacts, recent: RecentFacts) -> dict[str, Any]:
    matches = match_acute_rules(facts, recent, on=_DAY)
    return {
        "check_in": {"local_date": _DAY.isoformat(), **_said(asdict(facts))},
        "recent": _said(asdict(recent)),
        "expect": [{"rule": m.rule.value, "severity": m.severity.value} for m in matches],
    }


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = {k: sorted(v) if isinstance(v, frozenset | tuple) else v for k, v in values.items()}
    return {k: v for k, v in plain.items() if v not in (None, False, [])}
