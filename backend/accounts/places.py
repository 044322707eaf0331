"""Which countries and time zones there are, as the `tzdata` package lists them."""

from __future__ import annotations

from functools import cache
from importlib import resources

from django.utils.translation import gettext as _

from backend import errors


@cache
def countries() -> frozenset[str]:
    """The assigned codes of ISO 3166-1 alpha-2."""
    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    return frozenset(line.split("\t")[0] for line in table.splitlines() if line[:1].isupper())


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA database, old ones included."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def refuse_unknown_places(*, country: str | None, time_zone: str | None) -> None:
    """Raises `Invalid` naming the field; None passes."""
    if country is not None and country not in countries():
        raise errors.invalid_field(
            "/country", "unknown_country", _("Use a two-letter country code, such as US.")
        )
    if time_zone is not None and time_zone not in time_zones():
        raise errors.invalid_field(
            "/time_zone", "unknown_time_zone", _("This time zone is not known.")
        )
