"""Finds what was changed in the audit log since it was sealed: edited, taken away, added, moved.

Compares with the roots kept outside of the database, without which a cut at the end, or a chain
made anew as a whole, cannot be seen. Ends with status 1 when anything is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from backend.privacy.verifying import Fault, Outside, Tally, verify

MOST_SHOWN = 100


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--roots", help="the file of roots; AUDIT_ROOTS_FILE unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        tally = Tally()
        named = options["roots"] or settings.AUDIT_ROOTS_FILE
        faults = list(islice(self._faults(tally, Path(named) if named else None), MOST_SHOWN))
        for fault in faults:
            self.stdout.write(f"seal {fault.seal} {fault.what}")
        if not named:
            self.stdout.write("No file of roots: a cut at the end cannot be seen.")
        self.stdout.write(
            f"{tally.rows} rows under {tally.seals} seals; {tally.unsealed} rows not sealed yet."
        )
        if faults:
            raise CommandError("The audit log is not as it was sealed.", returncode=1)
        self.stdout.write("The audit log is as it was sealed.")

    def _faults(self, tally: Tally, path: Path | None) -> Iterator[Fault]:
        try:
            # Before the tables: a root is written only once its seal is there to be seen.
            end = path.stat().st_size if path else 0
        except OSError as error:
            raise CommandError(f"The file of roots cannot be read: {error.strerror}.") from error
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield from verify(cursor, tally=tally, outside=Outside(path, end=end))
