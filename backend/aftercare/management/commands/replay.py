"""What a rule set would have asked of an organisation's people: its load, by tier and reason.

    manage.py replay ORGANISATION [--days 90] [--craving 7] [--flags-per-month 0.5] ...

Each day is judged by what was known on it. Prints counts and names nobody; sends and stores
nothing but a row of the audit log.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.models import Organisation
from backend.aftercare.decision_rules import Thresholds
from backend.aftercare.replaying import RuleSet
from backend.aftercare.services.replay import DAYS, Replayed, replay_organisation

ACTOR = Actor.system("replay")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        usual, sharp = RuleSet(), Thresholds()
        parser.add_argument("organisation", type=UUID, help="its id")
        parser.add_argument("--days", type=int, default=DAYS)
        parser.add_argument("--nudges-per-month", type=float, default=usual.nudges_per_month)
        parser.add_argument("--flags-per-month", type=float, default=usual.flags_per_month)
        parser.add_argument("--surprise", type=float, default=usual.surprise_limit)
        parser.add_argument("--craving", type=int, default=sharp.craving)
        parser.add_argument("--mood", type=int, default=sharp.mood)
        parser.add_argument("--mood-two-days", type=int, default=sharp.mood_two_days)
        parser.add_argument("--confidence", type=int, default=sharp.confidence)
        parser.add_argument("--sleep-hours", type=float, default=sharp.sleep_hours)

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(pk=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation with this id.")
        now = timezone.now()
        for words, rules in (("as asked", _rules(options)), ("as now", RuleSet())):
            found = replay_organisation(
                actor=ACTOR, organisation=organisation, rules=rules, days=options["days"], now=now
            )
            self._show(words, found)

    def _show(self, words: str, found: Replayed) -> None:
        self.stdout.write(f"{words}: {found.people} people, {found.patient_days} patient-days")
        for total in found.totals:
            self.stdout.write(
                f"  {total.load.value:6} {total.reason:12} {total.count:6d}"
                f"  {total.per_month:.3f} a patient-month"
            )


def _rules(options: dict[str, Any]) -> RuleSet:
    return RuleSet(
        nudges_per_month=options["nudges_per_month"],
        flags_per_month=options["flags_per_month"],
        surprise_limit=options["surprise"],
        thresholds=Thresholds(
            craving=options["craving"],
            mood=options["mood"],
            mood_two_days=options["mood_two_days"],
            confidence=options["confidence"],
            sleep_hours=options["sleep_hours"],
        ),
    )
