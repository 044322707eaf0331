"""Sets up an organisation with its first administrator.

Prints the administrator's first password, once: it is stored as a hash alone. They sign in with
it and set their own; everybody else is added through the API.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from backend import errors
from backend.accounts.actor import Actor
from backend.accounts.services import set_up_organisation

PASSWORD_BYTES = 15


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--country", required=True, help="ISO 3166-1, two letters, such as US")
        parser.add_argument("--time-zone", required=True, help="such as America/New_York")
        parser.add_argument("--admin-email", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        name, email = options["name"].strip(), options["admin_email"].strip().lower()
        if not 1 <= len(name) <= 200:
            raise CommandError("The name must have 1 to 200 characters.")
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError("This is not an e-mail address.") from None
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        try:
            organisation = set_up_organisation(
                actor=Actor.system("create_organisation"),
                name=name,
                country=options["country"],
                time_zone=options["time_zone"],
                admin_email=email,
                password=password,
            )
        except errors.DomainError as error:
            raise CommandError(f"{error.detail} Nothing was stored.") from None
        self.stdout.write(f"Organisation {organisation.pk} is set up.")
        self.stdout.write(f"Administrator: {email}")
        self.stdout.write(f"First password, shown this once: {password}")
