"""Fits an organisation's own limits and shows what they would change; adopts them when told to.

    manage.py calibrate ORGANISATION --consented refs.txt --out limits.json
    manage.py calibrate ORGANISATION --adopt limits.json --by "Name" --reason "..." --review-on DATE

The first reads the days of the patients named in the file alone (external references, one a line:
those who agreed to it) and changes nothing. From the second on, new assessments use the limits and
say so; what was judged before keeps its rules.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.models import Organisation
from backend.tracking.adopted_limits import NotLimits, adopt_limits, require_limits, ruleset_of
from backend.tracking.calibrating import DAYS, TooFewPeople, propose_limits
from backend.tracking.trends import TARGETS
from backend.tracking.trends.refit import Proposal, TooFewDays

ACTOR = Actor.system("calibrate")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organisation", type=UUID, help="its id")
        parser.add_argument("--consented", type=Path, help="file of external references")
        parser.add_argument("--days", type=int, default=DAYS, help="default: %(default)s")
        parser.add_argument("--out", type=Path, help="file for the proposed limits")
        parser.add_argument("--adopt", type=Path, help="file of limits to take over")
        parser.add_argument("--by", default="", help="who decides")
        parser.add_argument("--reason", default="", help="why")
        parser.add_argument("--review-on", type=date.fromisoformat, help="when to look again")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(pk=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation with this id.")
        if options["adopt"]:
            self._adopt(organisation, options)
        else:
            self._propose(organisation, options)

    def _propose(self, organisation: Organisation, options: dict[str, Any]) -> None:
        if not options["consented"]:
            raise CommandError("Name the patients who agreed to it: --consented FILE.")
        refs = {line.strip() for line in _read(options["consented"]).splitlines()}
        try:
            proposal = propose_limits(
                actor=ACTOR,
                organisation=organisation,
                consented=refs - {""},
                days=options["days"],
                now=timezone.now(),
            )
        except (TooFewPeople, TooFewDays) as error:
            raise CommandError(f"Nothing is proposed: {error}.") from None
        self._show(proposal)
        if options["out"]:
            options["out"].write_text(json.dumps(proposal.document, indent=1) + "\n")
            self.stdout.write(f"Written to {options['out']}; nothing is adopted.")

    def _show(self, proposal: Proposal) -> None:
        given = proposal.document["provenance"]
        self.stdout.write(
            f"{given['people']} people, {given['live_patient_days']} patient-days with a trend,"
            f" {given['from']} to {given['until']}. Alerts a patient-month on these same days:"
        )
        self.stdout.write(f"{'wanted':>8} {'today':>8} {'proposed':>9}  people: today, proposed")
        tiers = {load: tier.value for tier, load in TARGETS.items()}
        for load in proposal.loads:
            self.stdout.write(
                f"{load.wanted:8g} {load.today:8.3f} {load.proposed:9.3f}"
                f"  {load.people_today:5d} {load.people_proposed:5d}  {tiers.get(load.wanted, '')}"
            )

    def _adopt(self, organisation: Organisation, options: dict[str, Any]) -> None:
        if not (options["by"] and options["reason"] and options["review_on"]):
            raise CommandError("Say who decides, why, and when to look again.")
        given = _read(options["adopt"])
        try:
            document = json.loads(given)
            require_limits(document, organisation_id=organisation.pk)
        except (json.JSONDecodeError, NotLimits) as error:
            raise CommandError(f"Nothing is adopted: {error}.") from None
        with transaction.atomic():
            adopt_limits(
                actor=ACTOR,
                organisation_id=organisation.pk,
                document=document,
                adopted_by=options["by"],
                reason=options["reason"],
                review_on=options["review_on"],
                now=timezone.now(),
            )
        self.stdout.write(f"Adopted: {ruleset_of(document)}.")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
