"""`/api/v1/me/coping-steps`: what helps, in one's own words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import access_own_patient
from backend.accounts.authentication import actor_of
from backend.aftercare import selectors, services
from backend.aftercare.api.own_items import PATIENT_ONLY, Order, OwnItemView, Words, values_of
from backend.aftercare.models import CopingStep
from backend.openapi import IF_MATCH, problems
from backend.rest import base_revision, read_body

Cues = Annotated[list[Annotated[str, Meta(min_length=1, max_length=40)]], Meta(max_length=20)]
NEEDED = ("words",)


class CopingStepBody(Struct, forbid_unknown_fields=True):
    """A step in one's own words. Empty `cues`: it helps with any of them.

    A check-in says that it helped by naming its id, or its words, among `helped`.
    """

    id: UUID
    words: Words
    cues: Cues = []
    order: Order = 0
    is_archived: bool = False


class CopingStepChanges(Struct, forbid_unknown_fields=True):
    """What is not sent stays as it is."""

    words: Words | UnsetType = UNSET
    cues: Cues | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    is_archived: bool | UnsetType = UNSET


class CopingStepAnswer(Struct):
    id: UUID
    words: str
    cues: list[str]
    order: int
    is_archived: bool
    revision: int
    changed_at: datetime


class CopingStepList(Struct):
    results: list[CopingStepAnswer]


def show_step(row: CopingStep) -> CopingStepAnswer:
    return CopingStepAnswer(
        id=row.pk,
        words=row.words,
        cues=row.cues,
        order=row.order,
        is_archived=row.is_archived,
        revision=row.revision,
        changed_at=row.changed_at,
    )


class CopingStepsView(OwnItemView):
    allowed_roles = {"GET": PATIENT_ONLY, "POST": PATIENT_ONLY}
    show = staticmethod(show_step)

    @extend_schema(
        operation_id="list_coping_steps",
        tags=["own plan"],
        responses={200: CopingStepList, **problems(401, 403)},
    )
    def get(self, request: Request) -> Response:
        """One's own coping steps, archived ones too, in one's own order."""
        patient = access_own_patient(actor_of(request))
        rows = selectors.own_items(CopingStep, patient.pk)
        return Response(CopingStepList(results=[show_step(row) for row in rows]))

    @extend_schema(
        operation_id="add_coping_step",
        tags=["own plan"],
        request=CopingStepBody,
        responses={
            200: CopingStepAnswer,
            201: CopingStepAnswer,
            **problems(400, 401, 403, 409, 410, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """A new step. The same id again answers the same step."""
        body = read_body(request, CopingStepBody)
        stored = services.store_item(
            actor=actor_of(request),
            kind=CopingStep,
            item_id=body.id,
            values=values_of(body, needed=NEEDED),
            now=timezone.now(),
        )
        return self.answer(stored.row, status=201 if stored.is_new else 200)


class CopingStepView(OwnItemView):
    allowed_roles = {"PATCH": PATIENT_ONLY, "DELETE": PATIENT_ONLY}
    show = staticmethod(show_step)

    @extend_schema(
        operation_id="amend_coping_step",
        tags=["own plan"],
        parameters=[IF_MATCH],
        request=CopingStepChanges,
        responses={
            200: CopingStepAnswer,
            **problems(400, 401, 403, 404, 409, 410, 413, 415, 428),
        },
    )
    def patch(self, request: Request, step_id: UUID) -> Response:
        """Changes the fields sent."""
        stored = services.amend_item(
            actor=actor_of(request),
            kind=CopingStep,
            item_id=step_id,
            base_revision=base_revision(request),
            changes=values_of(read_body(request, CopingStepChanges), needed=NEEDED),
            now=timezone.now(),
        )
        return self.answer(stored.row)

    @extend_schema(
        operation_id="remove_coping_step",
        tags=["own plan"],
        request=None,
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, step_id: UUID) -> Response:
        """Removes the step and its words for good. To keep it for later, archive it instead."""
        services.remove_item(
            actor=actor_of(request), kind=CopingStep, item_id=step_id, now=timezone.now()
        )
        return Response(status=204)
