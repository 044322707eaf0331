"""Small made-up diaries, their mapping, and the command that imports them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import call_command

from backend.accounts.models import AuditEvent, CareTeamMember, Organisation, Patient
from backend.tracking.models import CheckIn

NEW_YORK = ZoneInfo("America/New_York")
MAPPING = """
source = "evening-study"

[person]
column = "who"
reference = "evening:"
given_name = "Evening {number:02d}"
adults = true

[day]
column = "day"

[unreported]
columns = ["good", "bad", "drinks"]

[items.mood]
columns = ["good", "bad"]
combine = "sum"
from = [-3, 3]

[items.sleep_hours]
column = "slept"
unit = "hours"
missing = [0]
"""
HEADER = ("who", "day", "good", "bad", "drinks", "slept", "steps")
# good + bad, on a mood from 0 to 10.
GOOD, MIDDLE, LOW, LOWEST = (2, 0), (1, -1), (0, -2), (0, -3)


def row(who: str, day: object, feeling: Sequence[object] = GOOD, slept: object = 7.5) -> list[Any]:
    """A day on which there was a drink, so that a 0 for both feelings is an answer."""
    return [who, day, *feeling, 1, slept, 4321]


def diary_text(rows: Iterable[Sequence[object]], delimiter: str = "\t") -> str:
    text = StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([HEADER, *rows])
    return text.getvalue()


@dataclass
class Import:
    """One diary and its mapping in a folder; `run` answers what the command printed."""

    folder: Path
    organisation: Organisation
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "diary.tsv"

    @property
    def map(self) -> Path:
        return self.folder / "mapping.toml"

    def write(self, rows: Iterable[Sequence[object]], *, mapping: str = MAPPING) -> None:
        self.write_text(diary_text(rows), mapping=mapping)

    def write_text(self, text: str, *, mapping: str = MAPPING, packed: bool = False) -> None:
        raw = text.encode()
        self.file.write_bytes(gzip.compress(raw) if packed else raw)
        self.map.write_text(mapping)

    def run(self, **options: Any) -> str:
        printed = StringIO()
        call_command(
            "import_diary",
            self.file,
            **{
                "map": self.map,
                "organisation": str(self.organisation.pk),
                **self.options,
                **options,
            },
            stdout=printed,
        )
        return printed.getvalue()


def counted(printed: str) -> dict[str, int]:
    """The table at the end: the name of a line to its number."""
    found = {}
    for line in printed.splitlines():
        name, number = line[:22].strip(), line[22:31].strip().replace(",", "")
        if number.isdigit():
            found[name] = int(number)
    return found


def imported(who: str = "a") -> list[CheckIn]:
    return list(
        CheckIn.objects.filter(patient__external_ref=f"evening:{who}").order_by("local_date")
    )


def yesterday() -> date:
    return datetime.now(NEW_YORK).date() - timedelta(days=1)


def everything() -> list[object]:
    """What an import could change."""
    return [
        sorted(CheckIn.objects.values_list("pk", "received_at", "local_date")),
        sorted(Patient.objects.values_list("pk")),
        CareTeamMember.objects.count(),
        AuditEvent.objects.count(),
    ]
