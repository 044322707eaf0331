"""What an evaluation returns."""

from __future__ import annotations

from enum import StrEnum

RULESET = "trends-3"


class Trend(StrEnum):
    """The person's direction against their own baseline; unknown when data are thin."""

    IMPROVING = "improving"
    STEADY = "steady"
    WORSENING = "worsening"
    UNKNOWN = "unknown"


class Tier(StrEnum):
    """How loud: a nudge to the patient, or a flag to the therapist."""

    NUDGE = "nudge"
    FLAG = "flag"


TRENDS: tuple[Trend, ...] = tuple(Trend)
