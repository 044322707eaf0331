"""All of a patient's data as one ZIP: for programs (JSON), for spreadsheets (CSV), and to read."""

from __future__ import annotations

import csv
import io
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.template.loader import render_to_string
from django.utils import translation

from backend.accounts.models import Patient
from backend.privacy.registry import TABLES

WORDS = Path(__file__).with_name("data") / "export.toml"
FORMAT = 1
# What a spreadsheet would take for a formula when it stands first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Items = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of thing on the page: its heading, the columns that hold anything, the rows."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@cache
def words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(WORDS.read_text())


def collect(patient: Patient) -> dict[str, Items]:
    """Everything of this patient's that is exported, by its name, as plain values."""
    found: dict[str, Items] = {}
    for table in TABLES:
        if not table.not_exported_because:
            items = [msgspec.to_builtins(item) for item in table.export_items(patient.pk)]
            found.setdefault(table.name, []).extend(items)
    return found


def build_archive(patient: Patient, *, now: datetime, language: str) -> bytes:
    """The ZIP. What is in it is as large as the person's history: a few megabytes at the most."""
    found = collect(patient)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        said = {"format": FORMAT, "made_at": now, "patient_id": patient.pk, "data": found}
        archive.writestr("export.json", msgspec.json.format(msgspec.json.encode(said), indent=2))
        for name, items in found.items():
            if items:
                archive.writestr(f"csv/{name}.csv", as_csv(items))
        archive.writestr("index.html", as_page(patient, found, now=now, language=language))
    return packed.getvalue()


def as_csv(items: Items) -> bytes:
    """With a heading; lists and objects as JSON. Begins with the mark that spreadsheets expect."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(items[0])
    for item in items:
        writer.writerow([_cell(value) for value in item.values()])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def as_page(patient: Patient, found: dict[str, Items], *, now: datetime, language: str) -> str:
    """One page to read and to print, with nothing that is fetched from anywhere."""
    with translation.override(language):
        facts = {
            "language": language,
            "made_on": now.astimezone(ZoneInfo(patient.time_zone)).date(),
            "sections": list(sections(found, language=language)),
        }
        return render_to_string("privacy/export.html", facts)


def sections(found: dict[str, Items], *, language: str) -> Iterator[Section]:
    for name, items in found.items():
        if items:
            columns = [column for column in items[0] if _holds(items, column)]
            yield Section(
                title=words()["titles"][name][language],
                columns=[words()["fields"][column][language] for column in columns],
                rows=[[_shown(item[column], language) for column in columns] for item in items],
            )


def _holds(items: Sequence[dict[str, Any]], column: str) -> bool:
    """Whether anybody would miss it: ids are for programs, and empty columns for nobody."""
    is_id = column == "id" or column.endswith("_id")
    return not is_id and any(item[column] not in (None, "", [], {}) for item in items)


def _shown(value: Any, language: str) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return words()["values"]["yes" if value else "no"][language]
    if isinstance(value, list):
        return ", ".join(_shown(each, language) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_shown(inner, language)}" for name, inner in value.items())
    return _moment(str(value))


def _moment(text: str) -> str:
    """A date or time without its seconds' fractions; anything else as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) <= len(date.min.isoformat()):
        return text
    return moment.strftime("%Y-%m-%d %H:%M %Z").rstrip()
