"""Who sits at the desk, as the reads and the acts are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.accounts.actor import Actor
from backend.accounts.models import Administrator, Clinician


@dataclass(frozen=True, slots=True)
class Desk:
    """The clinician who reads this page, and when. `now` is the same for all of the page."""

    actor: Actor
    clinician: Clinician
    language: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Office:
    """The administrator who reads this page, and when."""

    actor: Actor
    administrator: Administrator
    now: datetime

    @property
    def zone(self) -> str:
        """Where the organisation is."""
        return self.administrator.organisation.time_zone
