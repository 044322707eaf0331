"""Sets an organisation's own times for erasures and for the clinic's record after them.

Run it with HANDRAIL_DATABASE_ROLE=worker: the web process may not change them.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend.accounts.models import Organisation
from backend.privacy.erasure_models import DEFAULT_GRACE_DAYS, DEFAULT_RECORD_YEARS
from backend.privacy.services import set_retention


class Command(BaseCommand):
    help = "Sets an organisation's days of grace and years of retention."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", required=True, help="its name")
        parser.add_argument("--grace-days", type=int, default=DEFAULT_GRACE_DAYS)
        parser.add_argument("--record-years", type=int, default=DEFAULT_RECORD_YEARS)
        parser.add_argument("--reason", required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(name=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation of this name.")
        if not (0 <= options["grace_days"] <= 90 and 0 <= options["record_years"] <= 100):
            raise CommandError("Days are 0 to 90, years 0 to 100.")
        set_retention(
            organisation_id=organisation.pk,
            grace_days=options["grace_days"],
            record_years=options["record_years"],
            reason=options["reason"],
            now=timezone.now(),
        )
        self.stdout.write("Set. Wishes that stand already keep their day.")
