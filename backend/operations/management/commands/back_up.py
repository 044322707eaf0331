"""Dumps the whole database into one file that can be restored elsewhere, and reads it back.

Connects as DATABASE_BACKUP_URL, a superuser or a role with BYPASSRLS; as DATABASE_OWNER_URL
where that is not set. Encrypt the file: it holds what people said in confidence. The journal
(JOURNAL_FILE) and the secrets belong with it and are not in it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.operations.dumps import DumpFailed, Server, dump


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the dump, which must not be there yet")
        parser.add_argument("--programs", default="", help="the folder with pg_dump")

    def handle(self, *args: Any, **options: Any) -> None:
        url = settings.DATABASE_BACKUP_URL or os.environ.get("DATABASE_OWNER_URL", "")
        if not url:
            raise CommandError("Set DATABASE_BACKUP_URL, or DATABASE_BACKUP_URL_FILE.")
        path: Path = options["file"]
        try:
            entries = dump(Server(url, options["programs"]), path)
        except DumpFailed as error:
            raise CommandError(f"No back-up was made. {error}") from None
        self.stdout.write(f"{path}: {path.stat().st_size} bytes, {entries} entries, read back.")
