"""Whom something is shown to under a consent. Knows no table."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Recipient:
    """`kind` is a `RecipientKind`. A support contact is known by its id, all others by name."""

    kind: str
    name: str
    affiliation: str = ""
    contact_id: UUID | None = None

    @property
    def key(self) -> str:
        """The same for the same recipient, however the name was typed."""
        if self.contact_id is not None:
            return f"{self.kind}:{self.contact_id}"
        said = f"{_plain(self.name)}\n{_plain(self.affiliation)}"
        return f"{self.kind}:{hashlib.sha256(said.encode()).hexdigest()}"


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
