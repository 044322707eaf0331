"""A phone as a mobile developer would write one from the API's document alone.

It keeps what it knows to be stored, what it has yet to send, and the cursor of the last answer.
While it is offline a change is made on its own copy at once and put into the queue.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

ITEMS = ("kind", "local_date", "recorded_at", "mood", "craving", "not_safe", "note", "cues")
EMPTY: dict[str, Any] = {
    "mood": None,
    "craving": None,
    "not_safe": False,
    "note": "",
    "cues": [],
}
Content = dict[str, Any]


def content_of(item: Content) -> Content:
    """The items that this app shows, of a body sent or of a server's copy."""
    content: Content = {name: deepcopy(item.get(name, EMPTY.get(name))) for name in ITEMS}
    at = content["recorded_at"]
    content["recorded_at"] = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return content


@dataclass
class Copy:
    """One check-in on the phone. `revision` counts the changes still in the queue as made."""

    revision: int
    content: Content


@dataclass
class OfflinePhone:
    """`held` is what the screen shows; `queue` is sent in its order and kept until answered."""

    held: dict[UUID, Copy] = field(default_factory=dict)
    queue: list[dict[str, Any]] = field(default_factory=list)
    cursor: str | None = None
    confirmed: set[UUID] | None = None

    # What the person does ----------------------------------------------------------------------

    def create(self, body: Content) -> None:
        check_in_id = uuid4()
        item = {"id": str(check_in_id), **body}
        self.held[check_in_id] = Copy(1, content_of(item))
        self.queue.append({"op": "create", "type": "check_in", "item": item})

    def amend(self, check_in_id: UUID, changes: Content) -> None:
        copy = self.held[check_in_id]
        self.queue.append(
            {
                "op": "amend",
                "type": "check_in",
                "id": str(check_in_id),
                "base_revision": copy.revision,
                "changes": changes,
            }
        )
        copy.revision += 1
        copy.content |= deepcopy(changes)

    def withdraw(self, check_in_id: UUID) -> None:
        del self.held[check_in_id]
        self.queue.append({"op": "withdraw", "type": "check_in", "id": str(check_in_id)})

    # What the network does ---------------------------------------------------------------------

    def request(self) -> dict[str, Any]:
        """The body of the next sync: all that is queued, up to the limit of the document."""
        return {"changes": deepcopy(self.queue[:200]), "cursor": self.cursor}

    def take(self, sent: dict[str, Any], answer: dict[str, Any]) -> None:
        """Believes the server: first what became of each change, then what is new."""
        results = list(zip(sent["changes"], answer["results"], strict=True))
        self.queue = self.queue[len(results) :]
        for change, result in results:
            self._take_result(change, result)
        if answer["starts_over"]:
            self.confirmed = set()
        for item in answer["changes"]:
            self.take_item(UUID(item["id"]), item["revision"], item["item"])
        if self.confirmed is not None:
            accepted = [r for _, r in results if r["problem"] is None]
            self.confirmed |= {UUID(result["id"]) for result in accepted}
            self.confirmed |= {UUID(item["id"]) for item in answer["changes"]}
            if not answer["more"]:
                self._drop_the_unconfirmed()
        self.cursor = answer["cursor"]

    def _take_result(self, change: dict[str, Any], result: dict[str, Any]) -> None:
        check_in_id = id_of(change)
        if result["stored"] is not None:
            # A conflict: the server's copy is taken, and what was built on ours is given up.
            self._give_up(check_in_id)
            self.take_item(check_in_id, result["stored"]["revision"], result["stored"])
        elif result["status"] in ("gone", "invalid"):
            self._give_up(check_in_id)
            self.held.pop(check_in_id, None)
        elif change["op"] == "withdraw":
            self.held.pop(check_in_id, None)
        elif check_in_id in self.held:
            copy = self.held[check_in_id]
            waiting = sum(id_of(c) == check_in_id and c["op"] == "amend" for c in self.queue)
            copy.revision = result["revision"] + waiting
            # On a server's copy that was taken a moment ago, the change counts all the same.
            copy.content |= deepcopy(change.get("changes", {}))

    def _give_up(self, check_in_id: UUID) -> None:
        self.queue = [change for change in self.queue if id_of(change) != check_in_id]

    def take_item(self, check_in_id: UUID, revision: int, item: Content | None) -> None:
        """The server's copy, unless a change of one's own to it is still to be sent."""
        if any(id_of(change) == check_in_id for change in self.queue):
            return
        if item is None:
            self.held.pop(check_in_id, None)
        else:
            self.held[check_in_id] = Copy(revision, content_of(item))

    def _drop_the_unconfirmed(self) -> None:
        queued = {id_of(change) for change in self.queue}
        keep = (self.confirmed or set()) | queued
        self.held = {key: copy for key, copy in self.held.items() if key in keep}
        self.confirmed = None


def id_of(change: dict[str, Any]) -> UUID:
    return UUID(change["item"]["id"] if change["op"] == "create" else change["id"])
