"""What a support contact is asked and told, and whether they may be: shown before it is sent.

Nothing here sends. A contact hears something only with a live consent of the patient that names
the situation, and after their own yes; while either is missing the answer says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from backend.aftercare.models import Situation, SupportContact
from backend.aftercare.texts import LANGUAGES, render


@dataclass(frozen=True, slots=True)
class Preview:
    """`why_not` is empty where the message may go: `not_chosen`, `no_consent`, `not_agreed`."""

    situation: str
    text: str
    why_not: str


def previews(contact: SupportContact, *, name: str, consented: Collection[str]) -> list[Preview]:
    """For every situation, in the contact's language. `consented` holds the situations covered."""
    return [
        Preview(
            situation=situation.value,
            text=message_to(contact, situation, name=name),
            why_not=why_not_told(contact, situation.value, consented=consented),
        )
        for situation in Situation
    ]


def why_not_told(contact: SupportContact, situation: str, *, consented: Collection[str]) -> str:
    """Empty when this contact may be told in this situation."""
    if contact.removed_at is not None or situation not in contact.situations:
        return "not_chosen"
    if situation not in consented:
        return "no_consent"
    if contact.opted_in_at is None:
        return "not_agreed"
    return ""


def message_to(
    contact: SupportContact, situation: Situation, *, name: str, language: str = ""
) -> str:
    """The words: what the patient wrote, where they wrote something. No reading, no number.

    `name` is how the patient lets themselves be called; empty: not at all. In the contact's
    language unless another one is asked for.
    """
    language = language or language_of(contact)
    named = name or render("contact.somebody", language=language)
    said = render(f"contact.{situation.value}", language=language, patient=named)
    if not contact.words:
        return said
    own = render("contact.own_words", language=language, words=contact.words)
    return f"{said} {own}"


def language_of(contact: SupportContact) -> str:
    """The first of theirs that there are words in."""
    return next((code for code in contact.languages if code in LANGUAGES), LANGUAGES[0])


def question_to(shown_as: str, situations: Iterable[str], *, language: str) -> list[str]:
    """What the page behind the link says before they answer, one paragraph each.

    `situations` are those that they would be told in; none of them names a health matter.
    """
    asked = (
        render("invitation.from_somebody", language=language)
        if not shown_as
        else render("invitation.from", language=language, name=shown_as)
    )
    return [asked, *(render(f"invitation.when.{one}", language=language) for one in situations)]
