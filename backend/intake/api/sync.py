"""`/api/v1/sync`: everything that a phone holds, and everything that is new for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Raw, Struct
from rest_framework.request import Request

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.access import access_own_patient
from backend.accounts.authentication import actor_of, require_allowance
from backend.accounts.models import Patient
from backend.aftercare.decision_rules import Severity
from backend.aftercare.selectors import rules_of_check_in
from backend.aftercare.support import Support, support_answer
from backend.intake import services
from backend.intake.api.hearing import (
    PATIENT_ONLY,
    HeardView,
    Monitoring,
    language_of,
    promise_for,
)
from backend.intake.api.own_items import show_own_item
from backend.intake.syncing import (
    Outcome,
    Status,
    acute_body,
    broken_changes,
    readable_id,
    sync_changes,
)
from backend.openapi import COUNTRY, REFERENCE, Problem, problems
from backend.request_ids import request_id_of
from backend.rest import (
    answer,
    asked_country,
    decode_cursor,
    describe,
    encode_cursor,
    problem_body,
    read_body,
)
from backend.tracking.deltas import Cursor, Delta, delta_since
from backend.tracking.models import CheckIn
from backend.tracking.services import StoredCheckIn
from backend.tracking.shapes import show_check_in

MOST_CHANGES = 200
BODY_LIMIT = 2 * 1024 * 1024
ANSWERS = ("CheckInAnswer", "CopingStepAnswer", "SupportContactAnswer")


class SyncBody(Struct, forbid_unknown_fields=True):
    """What is read of a sync; each change is read by itself, so that one cannot spoil another."""

    changes: Annotated[list[Raw], Meta(max_length=MOST_CHANGES)] = []
    cursor: Annotated[str, Meta(max_length=400)] | None = None


def one_of(*names: str) -> Meta:
    """Says in the document which of these it is: by the `type` beside it."""
    shown: list[dict[str, str]] = [{"$ref": REFERENCE.format(name=name)} for name in names]
    return Meta(extra_json_schema={"anyOf": shown})


Kind = Literal["check_in", "coping_step", "support_contact"]
Bodies = one_of("CheckInBody", "CopingStepBody", "SupportContactBody")
# Named as the document names the bodies of PATCH.
Changes = one_of(*(f"Patched{name}Changes" for name in ("CheckIn", "CopingStep", "SupportContact")))
Answers = Meta(
    extra_json_schema={
        "anyOf": [
            *({"$ref": REFERENCE.format(name=name)} for name in ANSWERS),
            {"type": "null"},
        ]
    }
)


class CreateItem(Struct, tag="create", tag_field="op", forbid_unknown_fields=True):
    """A new one, whole, as its own route takes it."""

    type: Kind
    item: Annotated[Any, Bodies]


class AmendItem(Struct, tag="amend", tag_field="op", forbid_unknown_fields=True):
    """Some items of a known one, changed on the revision that the phone has."""

    type: Kind
    id: UUID
    base_revision: int
    changes: Annotated[Any, Changes]


class WithdrawItem(Struct, tag="withdraw", tag_field="op", forbid_unknown_fields=True):
    """A known one taken back; a step or a contact is removed for good."""

    type: Kind
    id: UUID


class SyncRequest(Struct):
    """Up to 200 changes in any order, and the cursor of the last answer (null at first).

    As a document: the server reads each change by itself, see `SyncBody`.
    """

    changes: Annotated[
        list[CreateItem | AmendItem | WithdrawItem], Meta(max_length=MOST_CHANGES)
    ] = []
    cursor: str | None = None


class SyncResult(Struct):
    """What became of one change, in the order sent.

    `status` is created, amended, withdrawn, replayed, conflict (then `stored` is the server's
    copy), invalid or gone. `keep` says whether to keep it and send it again as it stands.
    """

    status: Status
    id: UUID | None
    keep: bool
    revision: int | None = None
    stored: Annotated[Any, Answers] = None
    problem: Problem | None = None


class SyncedItem(Struct):
    """Something new for this phone. Withdrawn ones come as tombstones, without content."""

    type: str
    id: UUID
    revision: int
    withdrawn: bool
    item: Annotated[Any, Answers]


class SyncAnswer(Struct):
    """`cursor` goes into the next sync.

    `starts_over`: drop what you hold that is not in the changes that follow until `more` is false.
    """

    results: list[SyncResult]
    changes: list[SyncedItem]
    cursor: str
    more: bool
    starts_over: bool
    support: Support
    monitoring: Monitoring


HEARD = (CheckIn, StoredCheckIn)
"""What says how somebody is."""


class SyncView(HeardView):
    allowed_roles = {"POST": PATIENT_ONLY}
    counted = {"POST": rate_limits.SYNCS_BY_PATIENT}

    @extend_schema(
        operation_id="sync",
        tags=["check-ins"],
        parameters=[COUNTRY],
        request=SyncRequest,
        responses={200: SyncAnswer, **problems(400, 401, 403, 413, 415, 429, 503)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Sends changes and receives what is new. Safe to repeat; each change has its answer."""
        actor, now = actor_of(request), timezone.now()
        try:
            require_allowance(request)
            body = read_body(request, SyncBody, limit=BODY_LIMIT)
            cursor = read_cursor(body.cursor)
            outcomes = sync_changes(actor=actor, raws=body.changes, now=now)
        except Exception as error:
            self.hear(request, error)
            raise
        for outcome in outcomes:
            self._hear_refused(request, outcome)
        patient = access_own_patient(actor)
        # By revision: the other phone may have changed one of them in the meantime.
        own = {(o.row.pk, o.row.revision) for o in outcomes if o.row is not None}
        with transaction.atomic():
            delta = delta_since(patient.pk, cursor, known=own)
            read = sum(name == "check_in" for name, _row in delta.rows)
            if read:
                facts = {"count": read}
                audit.record(
                    actor=actor, action="check_ins.read", patient_id=patient.pk, facts=facts
                )
            return answer(self._answer(request, patient, outcomes, delta))

    def acute_bodies(self, raw: bytes) -> list[bytes]:
        """Each change of a body that was refused as a whole."""
        try:
            changes = msgspec.json.decode(raw, type=SyncBodyLoose).changes
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return broken_changes(raw)[: 2 * MOST_CHANGES]
        return [acute_body(bytes(change)) for change in changes[: 2 * MOST_CHANGES]]

    def _hear_refused(self, request: Request, outcome: Outcome) -> None:
        if outcome.error is None or not outcome.raw:
            return
        heard = services.receive_refused(
            actor=actor_of(request),
            raw=outcome.raw,
            error_code=outcome.error.code,
            now=timezone.now(),
        )
        outcome.alert = heard.alert
        outcome.rules = heard.rules

    def _answer(
        self, request: Request, patient: Patient, outcomes: list[Outcome], delta: Delta
    ) -> SyncAnswer:
        language = language_of(request)
        for outcome in outcomes:
            if outcome.alert is not None and outcome.row is not None and not outcome.rules:
                outcome.rules = rules_of_check_in(outcome.row.pk)
        acute = [outcome for outcome in outcomes if outcome.alert is not None]
        worst = max(
            acute, key=lambda o: Severity(o.alert.severity).rank if o.alert else -1, default=None
        )
        return SyncAnswer(
            results=[show_result(request, outcome) for outcome in outcomes],
            changes=[item for name, row in delta.rows if (item := show_item(name, row))],
            cursor=encode_cursor(cursor_parts(delta.cursor)),
            more=delta.has_more,
            starts_over=delta.starts_over,
            support=support_answer(
                patient,
                rules=list(dict.fromkeys(rule for outcome in acute for rule in outcome.rules)),
                substances=(),
                country=asked_country(request),
                language=language,
                now=timezone.now(),
                cues=[cue for o in acute if isinstance(o.row, HEARD) for cue in o.row.cues],
            ),
            monitoring=promise_for(patient, worst.alert if worst else None, language=language),
        )


class SyncBodyLoose(Struct):
    changes: list[Raw] = []


def show_result(request: Request, outcome: Outcome) -> SyncResult:
    if outcome.error is None:
        assert outcome.row is not None
        return SyncResult(outcome.status, outcome.id, keep=False, revision=outcome.row.revision)
    status, code, detail, extra = describe(outcome.error)
    stored = extra.pop("stored", None)
    body = problem_body(
        status=status,
        code=code,
        detail=detail,
        request_id=request_id_of(request._request),
        **extra,
    )
    return SyncResult(
        outcome.status,
        outcome.id or readable_id(outcome.raw),
        keep=False,
        stored=show_check_in(stored) if isinstance(stored, CheckIn) else show_own_item(stored),
        problem=msgspec.convert(body, Problem),
    )


def show_item(name: str, row: Any) -> SyncedItem | None:
    """A tombstone for what was taken back; None for words that do not open."""
    is_check_in = isinstance(row, CheckIn)
    is_gone = (row.withdrawn_at if is_check_in else row.removed_at) is not None
    item: Any = None
    if not is_gone:
        item = show_check_in(row) if is_check_in else show_own_item(row)
        if item is None:
            return None
    return SyncedItem(type=name, id=row.pk, revision=row.revision, withdrawn=is_gone, item=item)


def cursor_parts(cursor: Cursor) -> list[str]:
    return [str(cursor.epoch), str(cursor.seq), str(cursor.last_id or "")]


def read_cursor(text: str | None) -> Cursor | None:
    """Raises `Invalid` for what this server never handed out."""
    if not text:
        return None
    try:
        epoch, seq, last_id = decode_cursor(text)
        return Cursor(UUID(epoch), int(seq), UUID(last_id) if last_id else None)
    except ValueError:
        raise errors.Invalid("invalid_cursor", _("This page marker is not one of ours.")) from None
