"""What a patient signs, by version and language, and the words for the parts of a consent."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("data") / "consent_texts.toml"
FALLBACK_LANGUAGE = "en"
LANGUAGES = ("en", "es")
LEAD = "lead"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One wording in one language. `sha256` is of its bytes in UTF-8, in hexadecimal."""

    version: int
    language: str
    text: str
    reviewed_by: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def naming(self, situations: Collection[str]) -> ConsentText:
        """What is signed for a support contact: the same, with these situations at its end.

        The same for none, and for a version of before they were listed.
        """
        words = _situations(self.version)
        listed = [_in(words[name], self.language) for name in words if name in situations]
        if not listed:
            return self
        lead = _in(words[LEAD], self.language)
        return replace(
            self, text="\n".join([f"{self.text}\n\n{lead}", *(f"- {one}" for one in listed)])
        )


@cache
def _data() -> Mapping[str, Any]:
    found: dict[str, Any] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def all_texts() -> tuple[ConsentText, ...]:
    """Every wording that anybody may have signed, the oldest first."""
    return tuple(
        ConsentText(entry["version"], language, entry[language].strip(), entry["reviewed_by"])
        for entry in sorted(_data()["consent"], key=lambda entry: int(entry["version"]))
        for language in LANGUAGES
    )


def current_texts() -> tuple[ConsentText, ...]:
    """The wording to sign today, in each language."""
    newest = max(text.version for text in all_texts())
    return tuple(text for text in all_texts() if text.version == newest)


def _situations(version: int) -> Mapping[str, Mapping[str, str]]:
    entries = {entry["version"]: entry for entry in _data()["consent"]}
    found: Mapping[str, Mapping[str, str]] = entries[version].get("situations", {})
    return found


def situations() -> tuple[str, ...]:
    """In which a support contact may be told, in the order in which a text lists them."""
    newest = max(text.version for text in all_texts())
    return tuple(name for name in _situations(newest) if name != LEAD)


def say_situation(name: str, *, language: str) -> str:
    """As the newest wording lists it. Raises KeyError."""
    newest = max(text.version for text in all_texts())
    return _in(_situations(newest)[name], language)


def say(group: str, name: str, *, language: str) -> str:
    """The words of one of `scopes`, `purposes`, `events` or `kinds`. Raises KeyError."""
    return _in(_data()[group][name], language)


def notice(language: str) -> str:
    """What 42 CFR 2.32 wants beside everything that is disclosed."""
    return _in(_data()["notice"], language)


def _in(words: Mapping[str, str], language: str) -> str:
    return words.get(language[:2], words[FALLBACK_LANGUAGE])
