"""A thousand changes behind the log's back, of every kind, and each of them is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backend.privacy import chain
from backend.privacy.services import seal_audit
from tests.privacy.sealed import NOW, faults, later, one, write_acts
from tests.privacy.tampering import KINDS, Tamperer

TAMPERS = 1_000
ROWS, BATCH = 200, 20
GAP = 3


@pytest.fixture
def sealed(as_worker: None, roots: Path, owner: psycopg.Connection) -> list[int]:
    """Ten seals over 200 rows with gaps between their ids, and a few rows without a seal."""
    ids: list[int] = []
    for _part in range(ROWS // 10):
        ids += write_acts(10)
        one(owner, "SELECT max(nextval('accounts_auditevent_id_seq')) FROM generate_series(1, %s)",
            [GAP])  # fmt: skip
    assert seal_audit(now=NOW, batch=BATCH) == ROWS
    write_acts(5)
    return ids


def test_a_thousand_tampers_are_found(
    sealed: list[int], roots: Path, owner: psycopg.Connection
) -> None:
    cursor = owner.cursor()
    cursor.execute("SET LOCAL handrail.audit_change = 'allowed'")
    seals = list(chain.seals(cursor))
    assert len(seals) == ROWS // BATCH
    assert faults(cursor, roots) == []
    missed = []
    for seed in range(TAMPERS):
        tamper = KINDS[seed % len(KINDS)]
        with owner.transaction(force_rollback=True):
            where = tamper(Tamperer(cursor, seed, sealed, seals))
            found = {fault.seal for fault in faults(cursor, roots)}
        if where not in found:
            missed.append((seed, tamper.__name__, where, found))
    assert missed == []
    assert faults(cursor, roots) == []


@pytest.mark.parametrize("tamper", [Tamperer.cut_tail, Tamperer.make_the_chain_anew])
def test_what_only_the_roots_tell(
    sealed: list[int],
    roots: Path,
    owner: psycopg.Connection,
    tamper: Callable[[Tamperer], int],
) -> None:
    """So keeping them outside is no luxury: without them these are invisible."""
    cursor = owner.cursor()
    cursor.execute("SET LOCAL handrail.audit_change = 'allowed'")
    tamper(Tamperer(cursor, 4, sealed, list(chain.seals(cursor))))
    assert faults(cursor, None) == []
    assert faults(cursor, roots) != []


def test_a_digest_covers_everything_that_a_seal_says(sealed: list[int], owner: Any) -> None:
    seal = next(chain.seals(owner.cursor()))
    stretch = chain.Stretch(chain.NOTHING_BEFORE)
    for row_id, written in chain.rows(owner.cursor(), after=chain.LOWEST, until=seal.last_id):
        stretch.add(row_id, written)

    def digest(of: chain.Seal) -> str:
        return stretch.digest(number=of.number, version=of.version, sealed_at=of.sealed_at)

    assert digest(seal) == seal.digest
    for other in (replace(seal, number=2), replace(seal, version=2), replace(seal, sealed_at="0")):
        assert digest(other) != seal.digest


def test_a_second_run_seals_only_what_is_new(sealed: list[int], roots: Path, owner: Any) -> None:
    assert seal_audit(now=later(10), batch=BATCH) == 0
    assert seal_audit(now=later(40), batch=BATCH) == 5
    assert len(roots.read_text().splitlines()) == ROWS // BATCH + 1
    owner.rollback()
    assert faults(owner.cursor(), roots) == []
