"""Ways to change the audit log behind its back, with the seal that has to show it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import psycopg

from backend.privacy import chain

Cursor = psycopg.Cursor[Any]

EDITS: dict[str, tuple[str, Callable[[random.Random], object]]] = {
    "at": ("at + %s * interval '1 microsecond'", lambda r: r.randint(1, 10**9)),
    "action": ("action || %s", lambda r: r.choice("xyz ")),
    "actor_id": (
        "CASE WHEN %s = 0 THEN NULL ELSE gen_random_uuid() END",
        lambda r: r.randint(0, 1),
    ),
    "actor_role": ("%s", lambda r: r.choice(["patient", "system", "administrator"])),
    "actor_name": ("%s", lambda r: f"job{r.random()}"),
    "device_id": ("CASE WHEN %s > 0 THEN gen_random_uuid() END", lambda r: r.randint(1, 2)),
    "request_id": ("left(request_id, -%s)", lambda r: r.randint(1, 3)),
    "patient_id": (
        "CASE WHEN %s = 0 THEN NULL ELSE gen_random_uuid() END",
        lambda r: r.randint(0, 1),
    ),
    "object_kind": ("upper(object_kind) || %s", lambda r: r.choice(["", "s"])),
    "object_id": ("reverse(object_id) || %s", lambda r: r.choice("ab")),
    "was_allowed": ("was_allowed AND %s", lambda _r: False),
    "facts": ("jsonb_set(facts, '{count}', to_jsonb(%s::float8))", lambda r: -r.random() - 1),
}  # fmt: skip
SEAL_EDITS = {
    "number": "number + 1000",
    "version": "version + 1",
    "first_id": "first_id - 1",
    "last_id": "last_id + 1",
    "count": "count + 1",
    "sealed_at": "sealed_at + interval '1 microsecond'",
    "digest": "encode(sha256(digest::bytea), 'hex')",
}


class Tamperer:
    """The owner of the tables, who knows how the log is sealed."""

    def __init__(self, cursor: Cursor, seed: int, ids: list[int], seals: list[chain.Seal]) -> None:
        self.cursor, self.random, self.ids, self.seals = cursor, random.Random(seed), ids, seals

    def run(self, query: str, *values: object) -> None:
        self.cursor.execute(query, values)
        assert self.cursor.rowcount > 0, query

    def seal_of(self, row_id: int) -> int:
        return next(seal.number for seal in self.seals if row_id <= seal.last_id)

    def edit(self) -> int:
        row_id = self.random.choice(self.ids)
        name = self.random.choice(list(EDITS))
        value, values = EDITS[name]
        self.run(
            f"UPDATE accounts_auditevent SET {name} = {value} WHERE id = %s",
            values(self.random),
            row_id,
        )
        return self.seal_of(row_id)

    def edit_to_no_time(self) -> int:
        row_id = self.random.choice(self.ids)
        self.run("UPDATE accounts_auditevent SET at = 'infinity' WHERE id = %s", row_id)
        return self.seal_of(row_id)

    def delete(self) -> int:
        first = self.random.randrange(len(self.ids))
        gone = self.ids[first : first + self.random.randint(1, 3)]
        self.run("DELETE FROM accounts_auditevent WHERE id = ANY(%s)", gone)
        return self.seal_of(gone[0])

    def insert(self) -> int:
        """Under an id that was left out, or below the first."""
        free = sorted(set(range(self.ids[0] - 3, self.ids[-1])) - set(self.ids))
        row_id = self.random.choice(free)
        self._copy(self.random.choice(self.ids), row_id)
        return self.seal_of(row_id)

    def replace_row(self) -> int:
        """One row gone and another in its seal, so that the count fits."""
        row_id = self.random.choice(self.ids)
        other = self.random.choice([each for each in self.ids if each != row_id])
        self.run("DELETE FROM accounts_auditevent WHERE id = %s", row_id)
        self._copy(other, row_id)
        return self.seal_of(row_id)

    def _copy(self, source: int, row_id: int) -> None:
        names = ", ".join(EDITS)
        self.run(
            f"INSERT INTO accounts_auditevent (id, {names})"
            f" SELECT %s, {names} FROM accounts_auditevent WHERE id = %s",
            row_id,
            source,
        )

    def swap(self) -> int:
        """Two rows change places: next to each other or far apart."""
        first = self.random.randrange(len(self.ids) - 1)
        last = self.random.choice([first + 1, self.random.randrange(first + 1, len(self.ids))])
        one_id, other_id = self.ids[first], self.ids[last]
        for source, target in ((one_id, -1), (other_id, one_id), (-1, other_id)):
            self.run("UPDATE accounts_auditevent SET id = %s WHERE id = %s", target, source)
        return self.seal_of(one_id)

    def cut_head(self) -> int:
        """The oldest rows, with or without their seals."""
        count = self.random.randint(1, len(self.seals) - 1)
        self.run("DELETE FROM accounts_auditevent WHERE id <= %s", self.seals[count - 1].last_id)
        if self.random.random() < 0.7:
            self.run("DELETE FROM privacy_auditseal WHERE number <= %s", count)
        return 1

    def cut_tail(self) -> int:
        """The newest rows with their seals: the chain that is left is whole."""
        count = self.random.randint(1, len(self.seals))
        kept = self.seals[count - 2].last_id if count > 1 else 0
        self.run("DELETE FROM privacy_auditseal WHERE number >= %s", count)
        if self.random.random() < 0.7:
            self.run("DELETE FROM accounts_auditevent WHERE id > %s", kept)
        return count

    def edit_seal(self) -> int:
        number = self.random.choice(self.seals).number
        name = self.random.choice(list(SEAL_EDITS))
        self.run(
            f"UPDATE privacy_auditseal SET {name} = {SEAL_EDITS[name]} WHERE number = %s", number
        )
        return number

    def delete_seal(self) -> int:
        number = self.random.choice(self.seals).number
        self.run("DELETE FROM privacy_auditseal WHERE number = %s", number)
        return number

    def make_the_chain_anew(self) -> int:
        """Changes a row and every seal from there on, so that the database fits itself."""
        changed = self.edit()
        previous = self.seals[changed - 2].digest if changed > 1 else chain.NOTHING_BEFORE
        after = self.seals[changed - 2].last_id if changed > 1 else chain.LOWEST
        for seal in self.seals[changed - 1 :]:
            stretch = chain.Stretch(previous)
            for row_id, written in chain.rows(self.cursor, after=after, until=seal.last_id):
                stretch.add(row_id, written)
            previous = stretch.digest(number=seal.number, version=1, sealed_at=seal.sealed_at)
            self.run(
                "UPDATE privacy_auditseal SET digest = %s WHERE number = %s", previous, seal.number
            )
            after = seal.last_id
        return changed


KINDS: tuple[Callable[[Tamperer], int], ...] = (
    Tamperer.edit,
    Tamperer.edit,
    Tamperer.edit_to_no_time,
    Tamperer.delete,
    Tamperer.insert,
    Tamperer.replace_row,
    Tamperer.swap,
    Tamperer.cut_head,
    Tamperer.cut_tail,
    Tamperer.edit_seal,
    Tamperer.delete_seal,
    Tamperer.make_the_chain_anew,
)
