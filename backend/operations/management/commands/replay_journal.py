"""After a restore: does again what the journal holds and the database does not, then lets
delivery start.

Give every machine's file, and those that were set aside after earlier restores; what is known
already is passed over, so it may be run again. Runs as the worker role.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.notifications.services import pause_delivery, resume_delivery
from backend.privacy.services import JournalBroken, replay_journal, set_aside

ACTOR = Actor.system("replay_journal")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--journal", type=Path, action="append", help="a file; JOURNAL_FILE unless given"
        )
        parser.add_argument(
            "--without-a-journal",
            action="store_true",
            help="there is none: whoever revoked or moved on since the back-up may be told again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        paths = self._paths(options)
        pause_delivery(actor=ACTOR, reason="replaying", now=timezone.now())
        try:
            replayed = replay_journal(paths=paths)
            current = Path(settings.JOURNAL_FILE) if settings.JOURNAL_FILE else None
            if current in paths:
                self.stdout.write(f"Set aside: {set_aside(current, now=timezone.now())}")
        except JournalBroken as error:
            raise CommandError(f"Delivery stays paused: {error}.") from None
        except OSError as error:
            raise CommandError(f"Delivery stays paused: {error.strerror}.") from None
        resume_delivery(actor=ACTOR, now=timezone.now())
        self.stdout.write(
            f"{replayed.done} acts done again, {replayed.without_effect} without effect,"
            f" {replayed.known} known already. Delivery may start."
        )

    def _paths(self, options: dict[str, Any]) -> list[Path]:
        given = options["journal"] or ([settings.JOURNAL_FILE] if settings.JOURNAL_FILE else [])
        if bool(given) == options["without_a_journal"]:
            raise CommandError("Name a journal, or say --without-a-journal, and not both.")
        return [Path(path) for path in given]
