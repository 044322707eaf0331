"""Compares every packed window that counts with the rows it was made of.

With --rebuild those that differ are made anew, or none is kept where the days were not judged.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.tracking.packing_rows import differing, pack_windows, packed_ids
from backend.tracking.sweeping import RANGES, ends_of


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="mend those that differ")

    def handle(self, *args: Any, **options: Any) -> None:
        compared = wrong = 0
        for number in range(RANGES):
            ids = packed_ids(*ends_of(number))
            found = differing(ids)
            compared, wrong = compared + len(ids), wrong + len(found)
            if options["rebuild"]:
                pack_windows(found)
        said = f"{compared} windows compared, {wrong} differ"
        if wrong and not options["rebuild"]:
            raise CommandError(f"{said}; --rebuild mends them")
        self.stdout.write(said)
