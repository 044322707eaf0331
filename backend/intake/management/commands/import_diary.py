"""Turns a diary from elsewhere into patients and check-ins, as of its own days.

Any delimited file with one row a person a day, plain or gzipped, with a mapping that says what its
columns mean. Nobody is told anything. Running it again adds what is new and changes nothing else.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from backend.accounts.actor import Actor
from backend.accounts.models import Clinician, ClinicianRole, Organisation
from backend.intake.diaries.importing import AnchorError, Importer, Target
from backend.intake.diaries.mapping import DiaryMapping, MappingError, load_mapping
from backend.intake.diaries.reading import BadRow, Diary, DiaryError, Survey
from backend.intake.diaries.telling import Progress, Totals, summary

ACTOR = Actor.system("import_diary")
MOST_EXPLAINED = 10


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the diary")
        parser.add_argument("--map", type=Path, required=True, help="what its columns mean (TOML)")
        parser.add_argument("--organisation", required=True, help="whose patients: name or id")
        parser.add_argument("--therapist", help="e-mail of the clinician who joins the care team")
        parser.add_argument(
            "--anchor-date",
            type=date.fromisoformat,
            help="the date of the diary's last day; yesterday when left out",
        )
        parser.add_argument("--dry-run", action="store_true", help="read and check, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now, is_dry_run = datetime.now(UTC), bool(options["dry_run"])
        diary, mapping, survey = _read(options["file"], options["map"])
        target = _target(options, now=now)
        importer = Importer(actor=ACTOR, mapping=mapping, target=target, survey=survey, now=now)
        totals, progress = Totals(), Progress(sys.stderr, rows=survey.rows, people=survey.numbers)
        try:
            for person in diary.people(survey, lambda bad: self._bad(bad, totals, progress)):
                outcome = importer.import_person(person, is_dry_run=is_dry_run)
                for bad in sorted(outcome.bad, key=lambda bad: bad.line):
                    self._bad(bad, totals, progress)
                totals.add(outcome)
                progress.show(totals)
        except AnchorError as error:
            raise CommandError(
                f"This diary is there already, with its last day on {error}."
                " Leave --anchor-date out to keep its dates."
            ) from None
        except DiaryError as error:
            raise CommandError(f"{options['file']} {error}. {_GO_ON}") from None
        except DatabaseError as error:
            raise CommandError(f"The database said {type(error).__name__}. {_GO_ON}") from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_GO_ON}", returncode=130) from None
        finally:
            progress.close()
        self.stdout.write(summary(totals, is_dry_run=is_dry_run))

    def _bad(self, bad: BadRow, totals: Totals, progress: Progress) -> None:
        totals.bad += 1
        progress.say(f"line {bad.line}: {bad.reason}")


_GO_ON = "What has gone in stays; run the same command again to go on."


def _read(file: Path, map_file: Path) -> tuple[Diary, DiaryMapping, Survey]:
    try:
        mapping = load_mapping(map_file)
    except MappingError as error:
        raise CommandError(f"{map_file}:\n  {error}") from None
    try:
        diary = Diary(file, mapping)
        survey = diary.survey()
    except DiaryError as error:
        raise CommandError(f"{file} {error}") from None
    if not survey.numbers:
        for bad in islice(diary.bad_rows(), MOST_EXPLAINED):
            sys.stderr.write(f"line {bad.line}: {bad.reason}\n")
        raise CommandError(f"{file}: none of its {survey.rows} rows could be read.")
    return diary, mapping, survey


def _target(options: dict[str, Any], *, now: datetime) -> Target:
    organisation = _organisation(options["organisation"])
    today = now.astimezone(ZoneInfo(organisation.time_zone)).date()
    asked: date | None = options["anchor_date"]
    if asked is not None and asked >= today:
        raise CommandError("--anchor-date: the last day of a diary is over, so before today.")
    return Target(
        organisation=organisation,
        clinician=_clinician(organisation, options["therapist"]),
        anchor=asked or today - timedelta(days=1),
        is_anchor_asked=asked is not None,
    )


def _organisation(name_or_id: str) -> Organisation:
    try:
        found = list(Organisation.objects.filter(pk=UUID(name_or_id)))
    except ValueError:
        found = list(Organisation.objects.filter(name=name_or_id))
    if len(found) > 1:
        ids = ", ".join(str(organisation.pk) for organisation in found)
        raise CommandError(f"There are {len(found)} organisations of that name: use an id: {ids}")
    if not found:
        names = ", ".join(Organisation.objects.order_by("name").values_list("name", flat=True))
        raise CommandError(f"There is no such organisation. These are there: {names or 'none'}")
    return found[0]


def _clinician(organisation: Organisation, email: str | None) -> Clinician:
    clinicians = Clinician.objects.filter(organisation=organisation)
    if email is not None:
        found = clinicians.filter(user__email=email.strip().lower()).first()
        if found is None:
            raise CommandError("--therapist: no clinician of this organisation has that address.")
        return found
    therapists = list(clinicians.filter(roles__contains=[ClinicianRole.THERAPIST.value])[:2])
    if len(therapists) != 1:
        how_many = "no therapist" if not therapists else "several therapists"
        raise CommandError(f"This organisation has {how_many}: name one with --therapist EMAIL.")
    return therapists[0]
