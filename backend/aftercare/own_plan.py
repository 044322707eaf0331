"""The patient's own coping steps and support contacts, as an answer shows them: one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from backend.accounts.patient_keys import unseal_all
from backend.aftercare.coping import Ranked, Rating, Step, rank
from backend.aftercare.models import CopingStep, SupportContact
from backend.rows import every
from backend.sealing import UnreadableError

logger = structlog.get_logger(__name__)

# What helped longer ago than this says little about what helps now.
HELPED_WITHIN = timedelta(days=90)
# An answer in a hard moment names a few steps, not a list to study.
STEPS_SHOWN = 5


_STEPS, _CONTACTS = CopingStep._meta.db_table, SupportContact._meta.db_table
_Hex = str


class _StepRow(Struct):
    id: UUID
    words: _Hex
    cues: list[str]
    order: int


class _RatingRow(Struct):
    step_id: UUID
    helped: bool | None
    rating: int | None


class _ContactRow(Struct):
    id: UUID
    name: _Hex
    relation: str
    phone: _Hex
    email: _Hex
    languages: list[str]


_Row = TypeVar("_Row", _StepRow, _ContactRow)


class Contact(Struct):
    """A person the patient may want to call, for the patient's own eyes."""

    id: UUID
    name: str
    relation: str
    phone: str
    email: str
    languages: list[str]


class _Plan(Struct):
    steps: list[_StepRow]
    contacts: list[_ContactRow]
    helped: dict[str, int]
    ratings: list[_RatingRow]


@dataclass(frozen=True, slots=True)
class OwnPlan:
    """Everything of it, and what the patient said helped."""

    steps: list[Step]
    contacts: list[Contact]
    helped: dict[str, int]
    ratings: list[Rating]

    def ranked(self, cues: Iterable[str] = ()) -> list[Ranked]:
        """The steps for these cues first; see `coping.rank`."""
        return rank(self.steps, cues=cues, helped=self.helped, ratings=self.ratings)


_SQL = """
SELECT jsonb_build_object(
 'steps', (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'id', id, 'words', encode(words, 'hex'), 'cues', cues, 'order', "order")), '[]')
   FROM aftercare_copingstep
   WHERE patient_id = %(patient)s AND removed_at IS NULL AND NOT is_archived),
 'contacts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'id', id, 'name', encode(name, 'hex'), 'relation', relation,
    'phone', encode(phone, 'hex'), 'email', encode(email, 'hex'),
    'languages', languages) ORDER BY "order", created_at), '[]')
   FROM aftercare_supportcontact WHERE patient_id = %(patient)s AND removed_at IS NULL),
 'helped', (SELECT coalesce(jsonb_object_agg(tag, times), '{}') FROM (
    SELECT tag, count(*) AS times FROM tracking_checkin, unnest(helped) AS tag
    WHERE patient_id = %(patient)s AND withdrawn_at IS NULL AND local_date > %(since)s
    GROUP BY tag) AS tags),
 'ratings', (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'step_id', step_id, 'helped', helped, 'rating', rating)), '[]')
   FROM aftercare_nudge
   WHERE patient_id = %(patient)s AND step_id IS NOT NULL AND rated_at IS NOT NULL
    AND local_date > %(since)s))::text
"""


def own_plan(patient_id: UUID, *, now: datetime) -> OwnPlan:
    """Read in one statement, because it goes into answers that somebody waits for.

    What does not open is left out and logged: the rest of the help must not wait for it.
    """
    ((raw,),) = every(_SQL, {"patient": patient_id, "since": (now - HELPED_WITHIN).date()})
    row = msgspec.json.decode(raw, type=_Plan)
    return OwnPlan(
        steps=[
            Step(each.id, words, frozenset(each.cues), each.order)
            for each, (words,) in _opened(patient_id, _STEPS, row.steps, ("words",))
        ],
        contacts=[
            Contact(each.id, name, each.relation, phone, email, each.languages)
            for each, (name, phone, email) in _opened(
                patient_id, _CONTACTS, row.contacts, ("name", "phone", "email")
            )
        ],
        helped=row.helped,
        ratings=[Rating(r.step_id, r.helped, r.rating) for r in row.ratings],
    )


def _opened(
    patient_id: UUID, table: str, rows: list[_Row], columns: tuple[str, ...]
) -> list[tuple[_Row, list[str]]]:
    """Each row that opens, with the texts of these columns."""
    opened = []
    for row in rows:
        sealed = [(table, name, row.id, bytes.fromhex(getattr(row, name))) for name in columns]
        try:
            opened.append((row, unseal_all(patient_id, sealed)))
        except UnreadableError as error:
            logger.error("own_item_unreadable", patient_id=str(patient_id), exc_info=error)
    return opened


def show_steps(ranked: Iterable[Ranked]) -> list[dict[str, Any]]:
    """For JSON. `serves_cue` says that the patient wrote it for what was reported."""
    return [
        {
            "id": str(one.step.id),
            "words": one.step.words,
            "cues": sorted(one.step.cues),
            "serves_cue": one.serves_cue,
            "times_helped": one.times_helped,
        }
        for one in ranked
    ]


def show_contacts(contacts: Iterable[Contact]) -> list[dict[str, Any]]:
    """For JSON, in the patient's own order."""
    return [msgspec.to_builtins(contact) for contact in contacts]
