"""The stand-in for Firebase, watched: who was asked for, when, and what the phones got."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from local.fcm import LocalFcm
from local.fcm.behaviour import Behaviour, Behaviours
from local.fcm.inbox import Inbox

_KEPT = 1_000_000


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that reached a phone, by the stand-in's own account. `at` is epoch seconds."""

    notification_id: str
    target: str
    at: float


class WatchedBehaviours(Behaviours):
    """The rules in force, and a count of the messages that came for each phone."""

    def __init__(self) -> None:
        super().__init__()
        self._watch = threading.Lock()
        self._asked: Counter[str] = Counter()

    def take(self, target: str) -> Behaviour:
        with self._watch:
            self._asked[target] += 1
        return super().take(target)

    def asked(self, target: str) -> int:
        """How many messages came for this phone, whatever became of them."""
        with self._watch:
            return self._asked[target]

    def forget(self) -> None:
        """No rules, and nobody was asked for."""
        self.clear()
        with self._watch:
            self._asked.clear()


class WatchedFcm(LocalFcm):
    """Runs within the bench, so that what it accepted is known whatever happens to the rest."""

    behaviour: WatchedBehaviours

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = WatchedBehaviours()
        self.inbox = Inbox(limit=_KEPT)

    def accepted(self) -> list[Accepted]:
        """Everything that reached a phone, in order."""
        return [
            Accepted(_id_in(each.message), each.target, each.received_at.timestamp())
            for each in self.inbox.listed()
        ]


def _id_in(message: Any) -> str:
    return str((message.get("data") or {}).get("notification_id", ""))
