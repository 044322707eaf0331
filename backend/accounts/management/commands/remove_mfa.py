"""Lets a member of staff set up their second step anew, after they lost phone and recovery codes.

Make sure first, in person or by a call, that it is them who ask. All their sign-ins end.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend import errors
from backend.accounts.actor import Actor
from backend.accounts.services import remove_second_factors


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("remove_mfa")
        try:
            remove_second_factors(actor=actor, email=options["email"], now=timezone.now())
        except errors.NotFound:
            raise CommandError("No account has this address.") from None
        self.stdout.write("Removed. They set up an authenticator app when they sign in next.")
