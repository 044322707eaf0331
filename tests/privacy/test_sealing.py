"""Seals are made while everybody writes, and take in nothing before it is settled."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from backend.accounts.models import AuditEvent
from backend.privacy import chain
from backend.privacy.models import AuditSeal
from backend.privacy.services import seal_audit
from backend.privacy.services.sealing import EVERY
from tests.acting import carried, system_session
from tests.privacy.sealed import NOW, all_faults, later, one, write_acts

INSERT = (
    "INSERT INTO accounts_auditevent (at, action, actor_role, actor_name, request_id,"
    " object_kind, object_id, was_allowed, facts)"
    " VALUES (now(), 'test', 'system', '', '', '', '', true, '{}') RETURNING id"
)
WRITERS, SEALERS, SECONDS = 6, 2, 3.0


def web() -> psycopg.Connection:
    return system_session("DATABASE_URL")


def test_a_row_that_is_still_to_come_is_waited_for(as_worker: None, roots: Path) -> None:
    before = write_acts(2)
    with web() as slow:
        late = one(slow, INSERT)
        after = write_acts(2)
        assert before[-1] < late < after[0]
        assert seal_audit(now=NOW, patience_s=0.2) == 0
        slow.commit()
        assert seal_audit(now=NOW, patience_s=0.2) == 5
    assert AuditSeal.objects.get().last_id == after[-1]
    assert all_faults(roots) == []


def test_whoever_comes_later_holds_nothing_up(as_worker: None, roots: Path) -> None:
    """Writers follow one another without a pause; only those who were first are waited for."""
    write_acts(1)
    first, second = web(), web()
    with first, second:
        one(first, INSERT)
        sealed: list[int] = []

        def seal() -> None:
            sealed.append(_seal_and_close())

        sealing = threading.Thread(target=carried(seal))
        sealing.start()
        time.sleep(0.3)
        one(second, INSERT)
        first.commit()
        sealing.join(timeout=10)
        assert sealed == [1]


def _seal_and_close() -> int:
    try:
        return seal_audit(now=NOW)
    finally:
        connections.close_all()


def test_a_row_that_was_rolled_back_leaves_a_gap_and_no_fault(as_worker: None, roots: Path) -> None:
    write_acts(1)
    with web() as undone:
        one(undone, INSERT)
        undone.rollback()
    write_acts(1)
    assert seal_audit(now=NOW) == 2
    assert all_faults(roots) == []


def test_sealing_makes_no_writer_wait(as_worker: None, roots: Path) -> None:
    """While a sealer waits for one writer, another one goes on at once."""
    write_acts(1)
    with web() as slow:
        one(slow, INSERT)
        sealing = threading.Thread(target=carried(_seal_and_close))
        sealing.start()
        time.sleep(0.2)
        with web() as quick:
            quick.execute("SET lock_timeout = '100ms'")
            one(quick, INSERT)
            quick.commit()
        assert sealing.is_alive()
        slow.commit()
        sealing.join(timeout=10)


def _write(number: int, until: float, committed: list[int]) -> None:
    """Commits late, out of order, in pieces, and sometimes not at all."""
    chance = random.Random(number)
    with web() as connection:
        while time.monotonic() < until:
            ids = []
            for _row in range(chance.randint(1, 4)):
                ids.append(one(connection, INSERT))
                time.sleep(chance.random() / 50)
            if chance.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()
                committed.extend(ids)


def _seal(_number: int, until: float, _committed: list[int]) -> None:
    rounds = 0
    try:
        while time.monotonic() < until:
            seal_audit(now=NOW + rounds * EVERY, batch=7)
            rounds += 1
    finally:
        connections.close_all()


def test_seals_made_while_everybody_writes_hold(as_worker: None, roots: Path) -> None:
    committed: list[int] = []
    until = time.monotonic() + SECONDS
    jobs: list[Callable[[int, float, list[int]], None]] = [_write] * WRITERS + [_seal] * SEALERS
    threads = [
        threading.Thread(target=carried(job), args=(number, until, committed))
        for number, job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    seal_audit(now=NOW + timedelta(days=1))
    assert all_faults(roots) == []
    assert sorted(AuditEvent.objects.values_list("pk", flat=True)) == sorted(committed)
    assert sum(AuditSeal.objects.values_list("count", flat=True)) == len(committed) > 50
    assert AuditSeal.objects.count() > 5


def test_an_empty_log_gets_no_seal(as_worker: None, roots: Path) -> None:
    assert seal_audit(now=NOW) == 0
    assert not AuditSeal.objects.exists()
    assert all_faults(roots) == []


def test_a_stretch_is_sealed_when_it_is_full_or_old(as_worker: None, roots: Path) -> None:
    write_acts(3)
    assert seal_audit(now=NOW, batch=10) == 3
    write_acts(9)
    assert seal_audit(now=later(1), batch=10) == 0
    write_acts(3)
    assert seal_audit(now=later(2), batch=10) == 10
    assert seal_audit(now=later(3), batch=10) == 0
    assert seal_audit(now=later(60), batch=10) == 2
    assert [seal.count for seal in AuditSeal.objects.order_by("number")] == [3, 10, 2]
    assert all_faults(roots) == []


def test_a_long_log_is_read_a_page_at_a_time(
    as_worker: None, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "PAGE", 7)
    write_acts(50)
    assert seal_audit(now=NOW, batch=25) == 50
    assert all_faults(roots) == []
