"""What people read in the answer to a check-in, in messages and in an alert's reasons.

The texts are data (`data/texts/*.toml`): an id, a version, who reviewed it, English and Spanish.
A text with a number in it has two forms, chosen by `count`. English stands in for any language
that is not here.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

TEXT_FOLDER = Path(__file__).with_name("data") / "texts"
FALLBACK_LANGUAGE = "en"
LANGUAGES = ("en", "es")

Number = int | float | Decimal
Fact = str | Number


class TextError(LookupError):
    """A text was asked for that does not exist, or without a fact that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text in every language. `forms` maps language to plural form ("one", "other") to words.

    A text without plural has "other" alone. `reviewed_by` is empty until a clinician signs it.
    """

    id: str
    version: int
    reviewed_by: str
    forms: Mapping[str, Mapping[str, str]]

    @property
    def plural(self) -> bool:
        """Whether the words change with `count`."""
        return "one" in self.forms[FALLBACK_LANGUAGE]


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """What a clinician reads of an alert after unlocking: a title and one sentence."""

    title: str
    body: str


def render(text_id: str, *, language: str, count: Number | None = None, **facts: Fact) -> str:
    """The text in the person's language with its facts filled in.

    `count` chooses singular or plural and is also the fact `{count}`. Facts that the text does not
    use are ignored. Raises `TextError` for an unknown id, a missing fact or a missing count.
    """
    text = _text(text_id)
    if text.plural and count is None:
        raise TextError(f"text {text_id!r} needs a count")
    words = text.forms[_supported(language)]
    template = words["one"] if text.plural and count == 1 else words["other"]
    known = facts if count is None else {**facts, "count": count}
    missing = placeholders(template) - known.keys()
    if missing:
        raise TextError(f"text {text_id!r} needs {', '.join(sorted(missing))}")
    return template.format_map({name: _plain(value) for name, value in known.items()})


def support_for(rule: str, *, language: str, substances: Iterable[str] = ()) -> tuple[str, ...]:
    """What the answer to an acute check-in says, one paragraph each, in the order to show them.

    A question the rule asks comes first. `substances` adds the paragraph of each one named, where
    the rule has one. Raises `TextError` for a rule without a text.
    """
    main = f"support.{rule}"
    _text(main)
    specific = sorted({f"{main}.{substance}" for substance in substances})
    wanted = (f"{main}.question", main, *specific)
    return tuple(render(text_id, language=language) for text_id in wanted if text_id in _texts())


def alert_message(*, condition: str, severity: str, patient: str, language: str) -> AlertMessage:
    """What a clinician reads of an alert. `patient` is a first name or initials.

    Raises `TextError` for an unknown condition or severity.
    """
    title = render(
        "alert.title",
        language=language,
        severity=render(f"severity.{severity}", language=language),
        condition=render(f"condition.{condition}", language=language),
    )
    general = f"alert.{condition}"
    specific = f"{general}.{severity}"
    body = specific if specific in _texts() else general
    return AlertMessage(title=title, body=render(body, language=language, patient=patient))


def placeholders(template: str) -> frozenset[str]:
    """The names of the facts that a text needs."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def all_texts() -> tuple[Text, ...]:
    """Every text, in the order of its id."""
    return tuple(_texts()[text_id] for text_id in sorted(_texts()))


def unreviewed() -> tuple[str, ...]:
    """The ids of the texts that no clinician has signed yet."""
    return tuple(text.id for text in all_texts() if not text.reviewed_by)


def data_version() -> str:
    """A short digest of all text files: changes when any word does, so that caches can tell."""
    digest = hashlib.sha256()
    for path in sorted(TEXT_FOLDER.glob("*.toml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _texts() -> Mapping[str, Text]:
    texts: dict[str, Text] = {}
    for path in sorted(TEXT_FOLDER.glob("*.toml")):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["text"]:
            text = _parsed(entry)
            if text.id in texts:
                raise ValueError(f"text {text.id!r} is defined twice")
            texts[text.id] = text
    return texts


def _parsed(entry: Mapping[str, Any]) -> Text:
    fields = dict(entry)
    forms = {language: _forms(fields.pop(language)) for language in LANGUAGES}
    return Text(forms=forms, **fields)


def _forms(words: str | dict[str, str]) -> dict[str, str]:
    return {"other": words} if isinstance(words, str) else words


def _text(text_id: str) -> Text:
    text = _texts().get(text_id)
    if text is None:
        raise TextError(f"no text {text_id!r}")
    return text


def _supported(language: str) -> str:
    base = language.replace("_", "-").split("-")[0].strip().lower()
    return base if base in LANGUAGES else FALLBACK_LANGUAGE


def _plain(value: Fact) -> str:
    """Whole numbers without a decimal part, as people write them: 4.0 becomes 4."""
    if isinstance(value, float | Decimal) and value % 1 == 0:
        return str(int(value))
    return str(value)
