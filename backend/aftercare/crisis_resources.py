"""Lines anyone may call in a crisis, by country and language.

The lines are data (`data/crisis_resources.toml`), read once. A country without lines gets the
advice to call its local emergency number, never another country's line.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

DATA_FILE = Path(__file__).with_name("data") / "crisis_resources.toml"


class CrisisResourceKind(StrEnum):
    """What a line is for, in the order lines are shown. `SUICIDE` takes any emotional crisis."""

    EMERGENCY = "emergency"
    SUICIDE = "suicide"
    CRISIS_TEXT = "crisis_text"
    SUBSTANCE_USE = "substance_use"
    VETERANS = "veterans"
    POISON = "poison"
    DOMESTIC_VIOLENCE = "domestic_violence"


KIND_ORDER = tuple(CrisisResourceKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisResource:
    """A line anyone may call, text or open a chat with. Empty strings mean "none" or "unknown".

    `countries` are ISO 3166-1 alpha-2 codes, or a group's name as the data file has it. `call` and
    `text_to` are written for people; `chat` is a host. `advice` stands where there is no number.
    `verified_at` is the aware UTC time at which a person last confirmed the line at its publisher.
    """

    id: str
    countries: tuple[str, ...]
    kind: CrisisResourceKind
    name_en: str
    name_es: str
    call: str = ""
    then_press: str = ""
    text_to: str = ""
    text_body: str = ""
    chat: str = ""
    advice_en: str = ""
    advice_es: str = ""
    languages: tuple[str, ...] = ()
    hours: str = ""
    source: str = ""
    verified_at: datetime | None = None
    reviewed_by: str = ""

    @property
    def dial(self) -> str:
        """`call` as a phone dials it: digits, after a plus sign if there is one."""
        return _dialled(self.call)

    def as_json(self, language: str) -> dict[str, object]:
        """The public form, in one language: what a phone needs to show and dial it offline."""
        spanish = _is_spanish(language)
        return {
            "id": self.id,
            "countries": list(self.countries),
            "kind": self.kind.value,
            "name": self.name_es if spanish else self.name_en,
            "call": self.call,
            "dial": self.dial,
            "then_press": self.then_press,
            "text_to": self.text_to,
            "text_dial": _dialled(self.text_to),
            "text_body": self.text_body,
            "chat": self.chat,
            "advice": self.advice_es if spanish else self.advice_en,
            "languages": list(self.languages),
            "hours": self.hours,
            "verified_at": self.verified_at.isoformat() if self.verified_at else None,
        }


def resources_for(*, country: str, language: str) -> tuple[CrisisResource, ...]:
    """The lines of a country, emergency first; within a kind, lines known to speak `language` lead.

    `country` is ISO 3166-1 alpha-2 in any case. Never empty: a country without lines, or a code
    that is none, gets the local emergency number's advice alone.
    """
    code = _country_code(country)
    found = [
        replace(resource, countries=(code,))
        for resource in all_resources()
        if code in _covered(resource)
    ]
    if not found:
        return (_local_emergency(code),)
    return _ordered(found, language=language)


def help_for(countries: Sequence[str], language: str) -> tuple[CrisisResource, ...]:
    """The lines of several countries together: give the current one first, then the home one.

    All emergency lines come first, then kind by kind, the first country's lines ahead. A line with
    the same name and number in two countries shows once, naming both. Blank codes are left out;
    with nothing else, the local emergency number's advice remains.
    """
    wanted = [country for country in countries if country.strip()] or [""]
    merged: dict[tuple[str, ...], CrisisResource] = {}
    for country in wanted:
        for resource in resources_for(country=country, language=language):
            key = _identity(resource)
            earlier = merged.get(key)
            both = (*earlier.countries, *resource.countries) if earlier else resource.countries
            merged[key] = replace(earlier or resource, countries=tuple(dict.fromkeys(both)))
    return tuple(sorted(merged.values(), key=lambda resource: KIND_ORDER.index(resource.kind)))


def all_resources() -> tuple[CrisisResource, ...]:
    """Every entry of the data file, groups not expanded, the local emergency advice left out."""
    return _catalogue().resources


def unverified() -> tuple[CrisisResource, ...]:
    """The entries nobody has confirmed at their publisher yet, for the operator's page."""
    return tuple(resource for resource in all_resources() if resource.verified_at is None)


def known_countries() -> frozenset[str]:
    """The countries that have lines here, as ISO 3166-1 alpha-2 codes."""
    return frozenset(code for resource in all_resources() for code in _covered(resource))


def data_version() -> str:
    """A short digest of the data file: changes when any line does, so that caches can tell."""
    return _catalogue().version


@dataclass(frozen=True, slots=True)
class _Catalogue:
    version: str
    resources: tuple[CrisisResource, ...]
    local_emergency: CrisisResource
    groups: Mapping[str, frozenset[str]]
    aliases: Mapping[str, str]


@cache
def _catalogue() -> _Catalogue:
    content = DATA_FILE.read_bytes()
    data = tomllib.loads(content.decode())
    local = data["local_emergency"] | {
        "id": "local-emergency",
        "country": "",
        "kind": CrisisResourceKind.EMERGENCY,
    }
    return _Catalogue(
        version=hashlib.sha256(content).hexdigest()[:12],
        resources=tuple(_parsed(entry) for entry in data["resource"]),
        local_emergency=_parsed(local),
        groups={name: frozenset(members) for name, members in data["groups"].items()},
        aliases=data["aliases"],
    )


def _parsed(entry: Mapping[str, Any]) -> CrisisResource:
    """One entry of the data file. Raises on an unknown field, kind or language, or a naive time."""
    fields = dict(entry)
    country, name, advice = fields.pop("country"), fields.pop("name"), fields.pop("advice", None)
    verified_at = fields.pop("verified_at") or None
    if verified_at is not None and verified_at.utcoffset() is None:
        raise ValueError(f"{entry['id']}: verified_at needs an offset")
    return CrisisResource(
        countries=(country,) if country else (),
        kind=CrisisResourceKind(fields.pop("kind")),
        name_en=name["en"],
        name_es=name["es"],
        advice_en=advice["en"] if advice else "",
        advice_es=advice["es"] if advice else "",
        languages=tuple(fields.pop("languages", ())),
        verified_at=verified_at,
        **fields,
    )


def _country_code(country: str) -> str:
    code = country.strip().upper()
    return _catalogue().aliases.get(code, code)


def _covered(resource: CrisisResource) -> frozenset[str]:
    """The countries an entry serves, groups expanded. A group's own name is not a country."""
    groups = _catalogue().groups
    return frozenset().union(*(groups.get(code, {code}) for code in resource.countries))


def _local_emergency(code: str) -> CrisisResource:
    return replace(_catalogue().local_emergency, countries=(code,) if _is_code(code) else ())


def _is_code(code: str) -> bool:
    return len(code) == 2 and code.isascii() and code.isalpha()


def _ordered(resources: Iterable[CrisisResource], *, language: str) -> tuple[CrisisResource, ...]:
    base = _base_language(language)
    return tuple(
        sorted(
            resources,
            key=lambda line: (KIND_ORDER.index(line.kind), base not in line.languages),
        )
    )


def _identity(resource: CrisisResource) -> tuple[str, ...]:
    return (
        resource.kind.value,
        resource.name_en,
        resource.dial,
        resource.then_press,
        resource.text_to,
        resource.text_body,
        resource.chat,
    )


def _dialled(number: str) -> str:
    return "".join(character for character in number if character.isdigit() or character == "+")


def _base_language(language: str) -> str:
    return language.replace("_", "-").split("-")[0].strip().lower()


def _is_spanish(language: str) -> bool:
    return _base_language(language) == "es"
