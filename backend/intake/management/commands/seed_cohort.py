"""Puts 40 invented people with 90 days of check-ins on the demo therapist's caseload.

Again changes nothing. Run `seed_demo` first."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backend import errors
from backend.intake.demo import seed_cohort


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("The demo is not made in production.")
        try:
            seeded = seed_cohort(now=timezone.now())
        except errors.NotFound as error:
            raise CommandError(str(error.detail)) from None
        self.stdout.write(f"{seeded} people seeded.")
