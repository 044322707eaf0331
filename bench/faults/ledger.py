"""What the phones remember: each check-in with its body, its tries and its acknowledgment."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

_HOME = ZoneInfo("America/New_York")

CALM: Mapping[str, Any] = {
    "mood": 6,
    "craving": 3,
    "confidence": 7,
    "sleep_hours": 7.25,
    "exercise_minutes": 35,
    "note": "Walked home instead of taking the bus.",
}
ACUTE: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "not_safe": ("critical", {"not_safe": True}),
    "withdrawal": ("critical", {"withdrawal_reported": True, "withdrawal_substances": ["alcohol"]}),
    "craving": ("high", {**CALM, "craving": 9}),
    "mood": ("high", {**CALM, "mood": 1}),
    "unwell": ("high", {"withdrawal_reported": True, "withdrawal_substances": ["opioids"]}),
    "confidence": ("medium", {**CALM, "confidence": 2}),
}
"""Acute rules that one check-in alone decides, with the severity that it calls for."""

_AHEAD, _BEHIND, _NONE = timedelta(hours=3), timedelta(hours=20), timedelta()
URGENT = frozenset({"critical", "high"})


@dataclass(slots=True)
class Sent:
    """One check-in, as the phone that made it remembers it. Times in epoch seconds.

    `heard_at` is when a refusal was answered for a body with a wrong clock: the server has heard
    what is acute in it, and the phone sends the same check-in again with the right time.
    """

    id: UUID
    patient: int
    recorded_at: datetime
    due_at: float
    severity: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    clock_is_wrong: bool = False
    tries: int = 0
    first_try_at: float = 0.0
    heard_at: float = 0.0
    acked_at: float = 0.0
    took_s: float = 0.0
    refused_with: int = 0
    replays: int = 0
    replayed: list[int] = field(default_factory=list)

    @property
    def is_acked(self) -> bool:
        return self.acked_at > 0

    def json(self) -> bytes:
        """The body as it goes out now."""
        recorded_at = self.recorded_at
        if self.clock_is_wrong and not self.heard_at:
            recorded_at += _AHEAD
        local = recorded_at.astimezone(_HOME)
        made = {
            "id": str(self.id),
            "kind": "daily",
            "local_date": self.recorded_at.astimezone(_HOME).date().isoformat(),
            "recorded_at": local.isoformat(),
            "time_zone": "America/New_York",
            **self.body,
        }
        return json.dumps(made).encode()


def check_ins(
    *, seed: int, people: int, count: int, rate: float, acute_share: float, begin: float
) -> Iterator[Sent]:
    """That many check-ins of people drawn at random, due at `rate` a second from `begin` on.

    One in fifty is sent once more after its answer; of a hundred, one comes from a phone whose
    clock is three hours ahead and one from a phone that is most of a day behind. Each has a moment
    of its own, so that no two of a person's look alike.
    """
    dice = random.Random(seed)
    kinds = sorted(ACUTE)
    for number in range(count):
        severity, body = ("", CALM)
        if dice.random() < acute_share:
            severity, body = ACUTE[dice.choice(kinds)]
        yield Sent(
            id=UUID(int=dice.getrandbits(128), version=4),
            patient=dice.randint(1, people),
            recorded_at=_moment(begin, number) - (_BEHIND if dice.random() < 0.01 else _NONE),
            due_at=begin + number / rate,
            severity=severity,
            body=body,
            clock_is_wrong=dice.random() < 0.01,
            replays=1 if dice.random() < 0.02 else 0,
        )


def urgent(patient: int, *, kind: str = "not_safe", number: int = 0, due_at: float) -> Sent:
    """One acute check-in of that patient."""
    severity, body = ACUTE[kind]
    dice = random.Random(f"{patient}:{number}:{due_at}")
    return Sent(
        id=UUID(int=dice.getrandbits(128), version=4),
        patient=patient,
        recorded_at=_moment(due_at, number),
        due_at=due_at,
        severity=severity,
        body=body,
    )


def _moment(begin: float, number: int) -> datetime:
    """Within the last hours, and no two the same: number 0 is the newest."""
    return datetime.fromtimestamp(round(begin), tz=UTC) - timedelta(milliseconds=500 * number)
