"""Makes an administrator their organisation's privacy officer, or ends it.

A privacy officer is told of every emergency access at once and reviews it. Where none is named,
every administrator is told.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend import errors
from backend.accounts.actor import Actor
from backend.accounts.services import set_privacy_officer


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--end", action="store_true", help="They are no longer one.")

    def handle(self, *args: Any, **options: Any) -> None:
        actor, is_officer = Actor.system("set_privacy_officer"), not options["end"]
        try:
            set_privacy_officer(actor=actor, email=options["email"], is_officer=is_officer)
        except errors.NotFound:
            raise CommandError("No administrator has this address.") from None
        self.stdout.write("Done.")
