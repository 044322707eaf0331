"""What an answer says to the person: words, lines to call, their own plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct

from backend.accounts.models import Patient
from backend.aftercare.crisis_resources import help_for
from backend.aftercare.own_plan import STEPS_SHOWN, own_plan, show_contacts, show_steps
from backend.aftercare.texts import render, support_for

# With these the emergency number stands before everything else.
URGENT_RULES = frozenset({"not_safe", "withdrawal_dangerous"})


class Support(Struct):
    """Help in the answer itself. `coping_steps` and `support_contacts` are the person's own."""

    is_acute: bool
    emergency_first: bool
    texts: list[str]
    crisis_resources: list[dict[str, Any]]
    coping_steps: list[dict[str, Any]]
    support_contacts: list[dict[str, Any]]
    note_about_notes: str


def crisis_lines(countries: Sequence[str], *, language: str) -> list[dict[str, Any]]:
    """The lines of these countries, for JSON: the current country first, then home."""
    return _crisis_lines(tuple(countries), language)


# The lines are data that change with a release; countries and languages are few.
@lru_cache(maxsize=1024)
def _crisis_lines(countries: tuple[str, ...], language: str) -> list[dict[str, Any]]:
    return [resource.as_json(language) for resource in help_for(countries, language)]


def support_answer(
    patient: Patient,
    *,
    rules: Sequence[str],
    substances: Iterable[str],
    country: str,
    language: str,
    now: datetime,
    cues: Iterable[str] = (),
    asks_for_help: bool = False,
) -> Support:
    """`rules` are the acute rules that held, the most severe first; none for a calm check-in.

    The person's own steps and contacts are read only where help is shown: a rule held, or they
    asked for it. Steps for the reported `cues` come first.
    """
    own = own_plan(patient.pk, now=now) if rules or asks_for_help else None
    named = tuple(substances)
    texts = [
        text for rule in rules for text in support_for(rule, language=language, substances=named)
    ]
    return Support(
        is_acute=bool(rules),
        emergency_first=bool(URGENT_RULES.intersection(rules)),
        texts=texts,
        crisis_resources=crisis_lines(
            [code for code in (country, patient.country) if code], language=language
        ),
        coping_steps=show_steps(own.ranked(cues)[:STEPS_SHOWN]) if own else [],
        support_contacts=show_contacts(own.contacts) if own else [],
        note_about_notes=render("notes.not_read", language=language),
    )
