"""The messages the phones have received."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.fcm.checking import collapse_id_of, target_of

MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it arrived. `repeat`: the same target and collapse id came before."""

    received_at: datetime
    target: str
    target_kind: str
    message: Mapping[str, Any]
    message_id: str
    repeat: bool

    def as_json(self) -> dict[str, Any]:
        """The form `GET /messages` answers with."""
        return {
            "received_at": self.received_at.isoformat().replace("+00:00", "Z"),
            "target": self.target,
            "target_kind": self.target_kind,
            "message": self.message,
            "message_id": self.message_id,
            "repeat": self.repeat,
        }


class Inbox:
    """Keeps the last `limit` messages, oldest first. Thread-safe."""

    def __init__(self, limit: int = MOST_KEPT) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._messages: deque[Received] = deque()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._revision = 0

    @property
    def revision(self) -> int:
        """Grows with every change."""
        return self._revision

    def add(self, message: Mapping[str, Any], message_id: str) -> Received:
        """Keeps one well-formed message, forgetting the oldest when full."""
        kind, target = target_of(message)
        key = (target, collapse_id_of(message))
        with self._lock:
            repeat = bool(key[1]) and self._seen[key] > 0
            received = Received(datetime.now(UTC), target, kind, message, message_id, repeat)
            self._messages.append(received)
            self._seen[key] += 1
            self._revision += 1
            while len(self._messages) > self._limit:
                self._forget(self._messages.popleft())
        return received

    def listed(self, *, last: int | None = None) -> list[Received]:
        """All of them, or the `last` few, oldest first."""
        with self._lock:
            kept = list(self._messages)
        return kept if last is None else kept[max(0, len(kept) - last) :]

    def clear(self) -> None:
        """Forgets everything, repeats included."""
        with self._lock:
            self._messages.clear()
            self._seen.clear()
            self._revision += 1

    def _forget(self, received: Received) -> None:
        key = (received.target, collapse_id_of(received.message))
        self._seen[key] -= 1
        if not self._seen[key]:
            del self._seen[key]
