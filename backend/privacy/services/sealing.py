"""Puts what is settled of the audit log under seals, and their roots out of the database's reach.

Runs beside the writers and never makes one wait: it takes no lock on the log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection, transaction

from backend.accounts.models import AuditEvent
from backend.privacy import chain, roots
from backend.privacy.horizon import PATIENCE_S, settled_id
from backend.privacy.models import AuditSeal

logger = structlog.get_logger(__name__)

BATCH = 10_000
MOST_SEALS = 20
EVERY = timedelta(seconds=30)
# Of our own choosing: one sealer at a time, and the next one does not wait but leaves.
_SEALING = 0x41554449


def seal_audit(*, now: datetime, batch: int = BATCH, patience_s: float = PATIENCE_S) -> int:
    """Seals what is due and writes the roots; returns how many rows were sealed.

    A stretch is due when it is full, or half a minute after the seal before it.
    """
    sealed = 0
    until = settled_id(patience_s=patience_s) if _is_due(now, batch) else None
    for _round in range(MOST_SEALS if until is not None else 0):
        seal = _seal_next(now, until=until or 0, batch=batch)
        if seal is None:
            break
        sealed += seal.count
        logger.info("audit_sealed", seal=seal.number, count=seal.count, root=seal.digest)
    publish_roots()
    return sealed


def _is_due(now: datetime, batch: int) -> bool:
    last = _last_seal()
    if last is None or last.sealed_at <= now - EVERY:
        return True
    waiting = AuditEvent.objects.filter(pk__gt=last.last_id).order_by("pk")
    return waiting[batch - 1 : batch].exists()


def _last_seal() -> AuditSeal | None:
    return AuditSeal.objects.order_by("-number").first()


@transaction.atomic
def _seal_next(now: datetime, *, until: int, batch: int) -> AuditSeal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALING])
        if not cursor.fetchone()[0]:
            return None
        last = _last_seal()
        stretch = chain.Stretch(last.digest if last else chain.NOTHING_BEFORE)
        after = last.last_id if last else chain.LOWEST
        for row_id, written in chain.rows(cursor, after=after, until=until, most=batch):
            stretch.add(row_id, written)
    is_early = last is not None and last.sealed_at > now - EVERY and stretch.count < batch
    if not stretch.count or is_early:
        return None
    number = last.number + 1 if last else 1
    return AuditSeal.objects.create(
        number=number,
        version=chain.VERSION,
        first_id=stretch.first_id,
        last_id=stretch.last_id,
        count=stretch.count,
        sealed_at=now,
        digest=stretch.digest(number=number, version=chain.VERSION, sealed_at=chain.seconds(now)),
    )


def publish_roots() -> int:
    """Brings the file of roots up to the last seal, whoever made it; returns how many were added.

    A file that says something else than the table is left as it is, for a person to look at.
    """
    if not settings.AUDIT_ROOTS_FILE:
        return 0
    try:
        with roots.opened(Path(settings.AUDIT_ROOTS_FILE)) as file:
            return _bring_up(file)
    except OSError as error:
        logger.error("audit_roots_unwritten", error=type(error).__name__)
        return 0


def _bring_up(file: roots.RootsFile) -> int:
    last = file.last()
    with connection.cursor() as cursor:
        found = chain.seals(cursor, after=last.number - 1 if last else chain.LOWEST)
        if last is not None:
            ours = next(found, None)
            if ours is None or not last.agrees_with(ours):
                logger.error("audit_roots_differ", seal=last.number)
                return 0
        return file.append(found)
