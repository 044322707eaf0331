"""Brings the message catalogues up to date with what code and templates say, with Babel alone.

New texts are added without a translation, those that are no longer said are removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.template import templatize

BACKEND = Path(__file__).resolve().parents[2]
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
}


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        said = said_catalogue()
        for folder in settings.LOCALE_PATHS:
            for path in sorted(Path(folder).glob("*/LC_MESSAGES/django.po")):
                missing = update(path, said)
                self.stdout.write(f"{path.parent.parent.name}: {missing} without a translation.")


def said_catalogue() -> Catalog:
    """Every text that code and templates give to be translated."""
    catalogue = Catalog(project="Handrail", fuzzy=False)
    for path in sorted([*BACKEND.rglob("*.py"), *BACKEND.rglob("*.html")]):
        for message, context in _said_in(path):
            place = (str(path.relative_to(BACKEND.parent)), 0)
            catalogue.add(message, locations=[place], context=context)
    return catalogue


def _said_in(path: Path) -> Iterator[tuple[Any, str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        source = templatize(source, origin=str(path))
    stream = BytesIO(source.encode())
    for _line, message, _comments, context in extract("python", stream, keywords=KEYWORDS):
        yield message, context


def update(path: Path, said: Catalog) -> int:
    """Rewrites one catalogue in place; returns how many of its texts lack a translation."""
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale=path.parent.parent.name, domain="django")
    # A header that changes by the minute would make every run a change.
    said.creation_date = catalogue.creation_date
    catalogue.update(said, no_fuzzy_matching=True)
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.obsolete.clear()
    with path.open("wb") as stream:
        write_po(stream, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
    return len(untranslated(catalogue))


def untranslated(catalogue: Catalog) -> list[Any]:
    """The texts of which a form has no words."""
    return [
        message.id
        for message in catalogue
        if message.id
        and not all(message.string if isinstance(message.string, tuple) else [message.string])
    ]
