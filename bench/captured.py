"""What in a captured statement belongs to the person whose request it was."""

from __future__ import annotations

import hashlib
import re

from backend.accounts.models import PatientKey
from bench import crowd
from bench.bodies import ACUTE_EVERY
from bench.scripts import Blank

CALM_AND_ACUTE = {"calm": ACUTE_EVERY - 1, "acute": 1}
"""The two kinds of check-in and how often each comes."""

_PERSON = "lpad(to_hex(:p::bigint), 12, '0')"


def blanks_of(person: int, people: int) -> list[Blank]:
    """Everything that names this person, as SQL over the variable `p`."""
    own = (crowd.USER, crowd.PATIENT, crowd.TOKEN, crowd.TIE, crowd.ALERT, crowd.PHONE)
    staff = (crowd.STAFF, crowd.CLINICIAN, crowd.STAFF_PHONE)
    therapist = f"lpad(to_hex(:p::bigint % {crowd.therapists(people)} + 1), 12, '0')"
    token = hashlib.sha256(crowd.token_of(person).encode()).hexdigest()
    account = str(crowd.id_of(crowd.USER, person))
    head, _dash, _number = account.rpartition("-")
    return [
        # A renewed alert's messages are new ones each time.
        Blank(rf"(?<=alert:{crowd.id_of(crowd.ALERT, person)}:)\d+(?=:)", ":n::text"),
        *_ids(own, person, _PERSON),
        *_ids(staff, crowd.therapist_of(person, people), therapist),
        Blank(token, "encode(sha256(('bench-token-' || :p::text)::bytea), 'hex')"),
        Blank(
            hashlib.sha256(account.encode()).hexdigest()[:48],
            f"left(encode(sha256(('{head}-' || {_PERSON})::bytea), 'hex'), 48)",
        ),
    ]


def key_of(person: int) -> Blank:
    """The key that came with this person's token, as SQL."""
    owner = crowd.id_of(crowd.PATIENT, person)
    found = PatientKey.objects.values_list("wrapped", flat=True).get(patient_id=owner)
    named = _ids((crowd.PATIENT,), person, _PERSON)[0]
    return Blank(
        bytes(found).hex(),
        "(SELECT encode(wrapped, 'hex') FROM accounts_patientkey"
        f" WHERE patient_id = {named.expression}::uuid)",
    )


def _ids(kinds: tuple[int, ...], number: int, expression: str) -> list[Blank]:
    """With hyphens and without, as PostgreSQL's clients write them."""
    blanks = []
    for kind in kinds:
        for text in (str(crowd.id_of(kind, number)), crowd.id_of(kind, number).hex):
            blanks.append(Blank(text, f"('{text[:-12]}' || {expression})"))
    return blanks


def is_known() -> re.Pattern[str]:
    """The ids of everybody who was there before the request, written without hyphens."""
    return re.compile("000000[ab][0-9a-f]40008000|[0-9a-f]{48,}")
