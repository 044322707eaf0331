"""Puts a dump back into an empty database elsewhere. Delivery stays paused until
`manage.py replay_journal` has done again what the dump does not know.

Connects as DATABASE_BACKUP_URL, which names the new database. Nothing that is there is overwritten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.operations.dumps import DumpFailed, Server, restore


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a dump that back_up made")
        parser.add_argument("--programs", default="", help="the folder with pg_restore")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DATABASE_BACKUP_URL:
            raise CommandError("Set DATABASE_BACKUP_URL to the address of the new database.")
        try:
            rows = restore(
                Server(settings.DATABASE_BACKUP_URL, options["programs"]), options["file"]
            )
        except DumpFailed as error:
            raise CommandError(f"Not restored; throw this database away. {error}") from None
        self.stdout.write(f"Restored, with {rows} rows of the audit log.")
        self.stdout.write("Delivery is paused. Next: manage.py replay_journal")
