"""`/api/v1/escalation-ladder`: who of one's organisation is told of an alert, and who next."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_administrator, access_clinician
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.accounts.models import Organisation
from backend.aftercare import services
from backend.aftercare.ladder_rules import STANDARD, Rung, Who, rung_of
from backend.aftercare.ladder_selectors import ladder_versions, newest_ladder
from backend.aftercare.models import EscalationLadder
from backend.openapi import IF_MATCH, problems
from backend.rest import HandrailView, base_revision, read_body

ADMINISTRATOR_ONLY = frozenset({Role.ADMINISTRATOR})
STAFF = frozenset({Role.ADMINISTRATOR, Role.CLINICIAN})
Minutes = Annotated[int, Meta(ge=0, le=10_000)]
WhoName = Literal[
    "care_team", "therapist", "case_manager", "on_call", "clinical_supervisor", "named"
]
Channels = Annotated[list[Literal["push", "sms", "email"]], Meta(max_length=3)]


class SilentMinutes(Struct, forbid_unknown_fields=True):
    """How long the rung may be silent before the next one is told, by the alert's severity."""

    critical: Minutes
    high: Minutes


class RungBody(Struct, forbid_unknown_fields=True):
    """`named` rungs name clinicians, who are on call or clinical supervisors; no other rung does.
    No `channels` are all that work."""

    who: WhoName
    silent_minutes: SilentMinutes
    channels: Channels = []
    clinician_ids: Annotated[list[UUID], Meta(max_length=20)] = []


class LadderBody(Struct, forbid_unknown_fields=True):
    """`decided_by` is the name of who answers for it; `review_on` is within a year."""

    rungs: Annotated[list[RungBody], Meta(max_length=8)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    decided_by: Annotated[str, Meta(min_length=1, max_length=120)]
    review_on: date


class LadderAnswer(Struct):
    """`version` 0 is the standard ladder, which nobody has decided. Alerts of medium severity are
    passed on to nobody."""

    version: int
    rungs: list[RungBody]
    reason: str
    decided_by: str
    review_on: date | None
    changed_at: datetime | None


class LadderVersions(Struct):
    results: list[LadderAnswer]


def show_ladder(row: EscalationLadder | None) -> LadderAnswer:
    if row is None:
        return LadderAnswer(0, [_show_rung(rung) for rung in STANDARD], "", "", None, None)
    return LadderAnswer(
        version=row.version,
        rungs=[_show_rung(rung_of(stored)) for stored in row.rungs],
        reason=row.reason,
        decided_by=row.decided_by,
        review_on=row.review_on,
        changed_at=row.changed_at,
    )


def _show_rung(rung: Rung) -> RungBody:
    return RungBody(
        who=rung.who.value,
        silent_minutes=SilentMinutes(**rung.silent),
        channels=list(rung.ways),  # type: ignore[arg-type]
        clinician_ids=[UUID(one) for one in rung.clinician_ids],
    )


def _rung(body: RungBody) -> Rung:
    return Rung(
        who=Who(body.who),
        silent={"critical": body.silent_minutes.critical, "high": body.silent_minutes.high},
        ways=tuple(body.channels),
        clinician_ids=tuple(map(str, body.clinician_ids)),
    )


def own_organisation(request: Request) -> Organisation:
    """The administrator's or the clinician's. Raises `Forbidden`."""
    actor = actor_of(request)
    if actor.role is Role.ADMINISTRATOR:
        return access_administrator(actor).organisation
    return access_clinician(actor).organisation


class EscalationLadderView(HandrailView):
    allowed_roles = {"GET": STAFF, "PUT": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="escalation_ladder",
        tags=["administration"],
        responses={200: LadderAnswer, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The ladder of one's organisation, with its version in `ETag`."""
        return self.answer(newest_ladder(own_organisation(request).pk))

    @extend_schema(
        operation_id="set_escalation_ladder",
        tags=["administration"],
        parameters=[IF_MATCH],
        request=LadderBody,
        responses={200: LadderAnswer, **problems(400, 401, 403, 409, 413, 415, 428)},
    )
    def put(self, request: Request) -> Response:
        """The next version, for alerts that open from now on; those open already keep theirs."""
        body = read_body(request, LadderBody)
        _organisation, version = services.set_ladder(
            actor=actor_of(request),
            draft=services.LadderDraft(
                rungs=[_rung(one) for one in body.rungs],
                reason=body.reason,
                decided_by=body.decided_by,
                review_on=body.review_on,
            ),
            base_version=base_revision(request),
            now=timezone.now(),
        )
        return self.answer(version)

    def answer(self, row: EscalationLadder | None) -> Response:
        shown = show_ladder(row)
        return Response(shown, headers={"ETag": f'"{shown.version}"'})

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        """What is stored goes with a conflict in the API's own form."""
        if problem["code"] == "ladder_changed":
            problem["stored"] = show_ladder(problem["stored"])


class LadderVersionsView(HandrailView):
    allowed_roles = {"GET": ADMINISTRATOR_ONLY}

    @extend_schema(
        operation_id="escalation_ladder_versions",
        tags=["administration"],
        responses={200: LadderVersions, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Every version there was, the newest first."""
        organisation = access_administrator(actor_of(request)).organisation
        rows = ladder_versions(organisation.pk)
        return Response(LadderVersions(results=[show_ladder(row) for row in rows]))
