"""Compiles the message catalogues with Babel, so that no gettext tools are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                compile_catalogue(source)
                count += 1
        self.stdout.write(f"{count} catalogues compiled.")


def compile_catalogue(source: Path) -> None:
    """Writes the `.mo` beside its `.po`."""
    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=source.parent.parent.name, domain=source.stem)
    with source.with_suffix(".mo").open("wb") as stream:
        write_mo(stream, catalogue)
