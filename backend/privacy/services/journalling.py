"""Keeps the journal outside of the database, and does what it holds again after a restore."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction

from backend.accounts.actor import Actor
from backend.accounts.models import AuditEvent
from backend.privacy import journal_lines
from backend.privacy.append_only import AppendOnlyFile, keep_name, opened
from backend.privacy.horizon import PATIENCE_S, settled_id
from backend.privacy.journal import Entry, replayers

logger = structlog.get_logger(__name__)

ACTOR = Actor.system("replay_journal")
STRIDE = 20_000
"""Rows of the audit log in one query, and without a line until one marks how far we have looked."""

PAGE = 2_000


class JournalBroken(Exception):
    """A line is no entry, or of a kind that nobody can replay: a person has to look."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many acts the back-up had already, did nothing, and were done again."""

    known: int = 0
    without_effect: int = 0
    done: int = 0


def write_journal(*, patience_s: float = PATIENCE_S) -> int:
    """Brings the file up to what is settled of the audit log; returns how many acts it got.

    A file whose last line is not in the table is left as it is: the database was restored, and
    the file has to be replayed first.
    """
    if not settings.JOURNAL_FILE:
        return 0
    until = settled_id(patience_s=patience_s)
    if until is None:
        return 0
    try:
        with opened(Path(settings.JOURNAL_FILE)) as file:
            return _bring_up(file, until)
    except OSError as error:
        logger.error("journal_unwritten", error=type(error).__name__)
        return 0


def _bring_up(file: AppendOnlyFile, until: int) -> int:
    parsed = (journal_lines.parse(line) for line in reversed(file.last_lines()))
    last = next((entry for entry in parsed if entry), None)
    if last is not None and not _known([last]):
        logger.error("journal_differs", count=last.number)
        return 0
    after = last.number if last else 0
    written = 0
    while after < until:
        upto = min(after + STRIDE, until)
        entries = list(_entries(after, upto))
        written += len(entries)
        newest = entries[-1].number if entries else after
        if upto - newest >= STRIDE:
            entries += _mark(newest, upto)
        if entries:
            file.append(map(journal_lines.line_of, entries))
        after = upto
    return written


def _entries(after: int, until: int) -> Iterator[Entry]:
    rows = AuditEvent.objects.filter(
        pk__gt=after, pk__lte=until, action__in=list(replayers), was_allowed=True
    )
    for row in rows.order_by("pk"):
        asked = replayers[row.action].facts
        yield Entry(
            number=row.pk,
            at=row.at,
            kind=row.action,
            actor_id=row.actor_id,
            patient_id=row.patient_id,
            object_kind=row.object_kind,
            object_id=row.object_id,
            facts={name: row.facts[name] for name in sorted(asked & row.facts.keys())},
        )


def _mark(after: int, until: int) -> list[Entry]:
    row = AuditEvent.objects.filter(pk__gt=after, pk__lte=until).order_by("-pk").first()
    return [journal_lines.mark(row.pk, row.at)] if row else []


def _known(entries: Collection[Entry]) -> set[int]:
    """The numbers of those acts that stand in this database: what they did stands there, too."""
    rows = AuditEvent.objects.in_bulk([entry.number for entry in entries])
    return {
        entry.number
        for entry in entries
        if (row := rows.get(entry.number))
        and row.at == entry.at
        and entry.kind in (row.action, journal_lines.MARK)
    }


def replay_journal(*, paths: Sequence[Path]) -> Replayed:
    """Does every act again that this database does not know, in order, all or none.

    Raises `JournalBroken`, or OSError for a file that cannot be read; then nothing has changed.
    """
    entries = {(entry.number, entry.at): entry for path in paths for entry in _whole(path)}
    acts = [entries[key] for key in sorted(entries) if entries[key].kind != journal_lines.MARK]
    known = without_effect = done = 0
    with transaction.atomic():
        for start in range(0, len(acts), PAGE):
            page = acts[start : start + PAGE]
            numbers = _known(page)
            for entry in page:
                if entry.number in numbers:
                    known += 1
                elif replayers[entry.kind].replayer(entry, ACTOR):
                    done += 1
                else:
                    without_effect += 1
    logger.info("journal_replayed", count=done)
    return Replayed(known=known, without_effect=without_effect, done=done)


def _whole(path: Path) -> Iterator[Entry]:
    for number, entry in enumerate(journal_lines.read(path), start=1):
        if entry is None:
            raise JournalBroken(f"entry {number} of {path} cannot be read")
        if entry.kind != journal_lines.MARK and entry.kind not in replayers:
            raise JournalBroken(f"nobody knows how to do a {entry.kind} again")
        yield entry


def set_aside(path: Path, *, now: datetime) -> Path:
    """Gives a replayed file another name, so that a new one is begun; returns the new name."""
    aside = path.with_name(f"{path.name}.replayed-{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}")
    path.rename(aside)
    keep_name(path.parent)
    return aside
