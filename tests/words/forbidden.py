"""The words this project does not use, and the few phrases in which one of them is right.

Sources: the last column of the glossary; "Words Matter: Terms to Use and Avoid When Talking About
Addiction" (National Institute on Drug Abuse); their Spanish counterparts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

GLOSSARY = (
    "client",
    "user",
    "addict",
    "case",
    "provider",
    "counselor",
    "counsellor",
    "account",
    "team",
    "assignment",
    "log",
    "entry",
    "entries",
    "post",
    "survey",
    "ping",
    "temptation",
    "motivation score",
    "trigger",
    "relapsed",
    "dirty",
    "streak",
    "reset",
    "clean time",
    "slip-up",
    "slip up",
    "failure",
    "risk score",
    "prediction",
    "warning",
    "incident",
    "retry",
    "retries",
    "emergency contact",
    "hotline url",
    "contract",
    "enrollment",
    "patients list",
    "opt in",
    "access log",
)

STIGMA_ENGLISH = (
    "abuse",
    "abuser",
    "addicted",
    "alcoholic",
    "clean",
    "drunk",
    "failed",
    "habit",
    "junkie",
    "medication-assisted treatment",
    "non-compliance",
    "non-compliant",
    "noncompliance",
    "noncompliant",
    "opioid replacement",
    "opioid substitution",
    "relapse",
)

STIGMA_SPANISH = (
    "abusar",
    "abuso",
    "adicta",
    "adicto",
    "alcohólica",
    "alcohólico",
    "borracha",
    "borracho",
    "cliente",
    "contacto de emergencia",
    "drogadicta",
    "drogadicto",
    "drogata",
    "fallaste",
    "fracasado",
    "fracaso",
    "incumplidor",
    "incumplidora",
    "limpia",
    "limpio",
    "racha",
    "recaer",
    "recayó",
    "recaída",
    "sucia",
    "sucio",
    "sustitución de opioides",
    "tentación",
    "toxicómana",
    "toxicómano",
    "usuaria",
    "usuario",
    "vicio",
    "yonqui",
)

IN_TEXT = GLOSSARY + STIGMA_ENGLISH + STIGMA_SPANISH

# A model's or API's field names are read by programmers: `failed` may be an outcome there, and the
# sign-in identity is a `user`.
IN_NAMES = tuple(
    term
    for term in (*GLOSSARY, "abuse", "abuser", "addicted", "alcoholic", "clean", "average user")
    if term != "user"
)

TEXT_EXCEPTIONS = {
    "care team": "the people around a patient, not the organisation",
    "medical team": "the people who treat someone in an emergency",
    "an account": "a person's sign-in, not the organisation",
    "this account": "a person's sign-in, not the organisation",
    "your account": "a person's sign-in, not the organisation",
    "case manager": "a role on the care team",
    "in case": "the conjunction",
    "warning signs": "the published name of the safety plan's first step",
    "relapse prevention": "the published name of a kind of plan",
    "prevención de recaídas": "the published name of a kind of plan",
    "password reset": "a password, never a count of days",
    "national domestic abuse helpline": "the line's own name",
    "substance abuse and mental health services administration": "the agency's own name",
    "alcoholics anonymous": "the fellowship's own name",
    "alcohólicos anónimos": "the fellowship's own name",
}

NAME_EXCEPTIONS = {
    "accounts": "the area that holds identities",
    "care team": "FHIR CareTeam",
    "case manager": "a role on the care team",
    "client id": "the id a phone chose, half of the key that makes a write safe to repeat",
    "password reset": "a password, never a count of days",
    "provider id": "the id that a push provider gave a message",
    "push provider": "a service that delivers pushes",
    "retry after": "the HTTP header's name",
    "retry at": "when one device may be tried again; an escalation has its own word",
    "warning signs": "the published name of the safety plan's first step",
}


def forbidden_in(
    text: str, terms: Iterable[str], exceptions: Mapping[str, str] | None = None
) -> list[str]:
    """The terms that occur in the text as whole words, plural too, outside the exceptions."""
    rest = " ".join(text.lower().split())
    for phrase in exceptions or {}:
        rest = re.sub(_whole(phrase), " ", rest)
    return [term for term in terms if re.search(_whole(term), rest)]


def _whole(term: str) -> str:
    return rf"(?<!\w){re.escape(term)}s?(?!\w)"


def name_as_words(name: str) -> str:
    """An identifier as lower-case words: `clientId` and `CLIENT_ID` are both "client id"."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.split(r"[\W_]+", parted.strip())).lower().strip()
