"""`/api/v1/check-ins`: made, listed, amended, taken back. No answer without help."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import rate_limits
from backend.accounts.access import read_own_patient
from backend.accounts.authentication import actor_of, require_allowance
from backend.aftercare.selectors import rules_of_check_in
from backend.intake import changing, services
from backend.intake.api.hearing import PATIENT_ONLY, HeardView, ReceivedAnswer, show_received
from backend.intake.bodies import CheckInBody, CheckInChanges
from backend.openapi import COUNTRY, IF_MATCH, problems
from backend.rest import answer, base_revision, read_body
from backend.tracking.api import PAGE_PARAMETERS, CheckInPage, check_in_page
from backend.tracking.models import CheckIn


def etag_of(check_in: CheckIn) -> str:
    return f'"{check_in.revision}"'


class CheckInsView(HeardView):
    allowed_roles = {"GET": PATIENT_ONLY, "POST": PATIENT_ONLY}
    counted = {"POST": rate_limits.CHECK_INS_BY_PATIENT}

    @extend_schema(
        operation_id="list_check_ins",
        tags=["check-ins"],
        parameters=PAGE_PARAMETERS,
        responses={200: CheckInPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """One's own check-ins, the newest first."""
        patient = read_own_patient(actor_of(request), what="check_ins")
        return Response(check_in_page(request, patient.pk, for_clinician=False))

    @extend_schema(
        operation_id="create_check_in",
        tags=["check-ins"],
        parameters=[COUNTRY],
        request=CheckInBody,
        responses={
            201: ReceivedAnswer,
            200: ReceivedAnswer,
            **problems(400, 401, 403, 409, 410, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Stores a check-in and answers with help. The same id again answers the same row."""
        actor, now = actor_of(request), timezone.now()
        try:
            require_allowance(request)
            body = read_body(request, CheckInBody)
            received = services.receive_check_in(actor=actor, body=body, now=now)
        except Exception as error:
            self.hear(request, error)
            raise
        # Nothing is read for a calm one; for any other, who acts is told to the database once.
        with nullcontext() if received.alert is None else transaction.atomic():
            shown = show_received(
                request, received.patient, received.check_in, received.alert, received.rules
            )
        response = answer(shown, status=201 if received.is_new else 200)
        response["ETag"] = etag_of(received.check_in)
        return response


class CheckInView(HeardView):
    allowed_roles = {"PATCH": PATIENT_ONLY, "DELETE": PATIENT_ONLY}
    counted = {"PATCH": rate_limits.CHECK_INS_BY_PATIENT}

    @extend_schema(
        operation_id="amend_check_in",
        tags=["check-ins"],
        parameters=[IF_MATCH, COUNTRY],
        request=CheckInChanges,
        responses={
            200: ReceivedAnswer,
            **problems(400, 401, 403, 404, 409, 410, 413, 415, 428, 429, 503),
        },
    )
    def patch(self, request: Request, check_in_id: UUID) -> Response:
        """Changes the items sent; the former content is kept. An alert is never lowered by it."""
        actor, now = actor_of(request), timezone.now()
        try:
            require_allowance(request)
            changed = changing.amend(
                actor=actor,
                check_in_id=check_in_id,
                base_revision=base_revision(request),
                changes=read_body(request, dict[str, Any]),
                now=now,
            )
        except Exception as error:
            self.hear(request, error)
            raise
        return self._answer(request, changed)

    def acute_bodies(self, raw: bytes) -> list[bytes]:
        """The changes under the id of the address, where they are an object."""
        try:
            changes = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return [raw]
        return [msgspec.json.encode({**changes, "id": str(self.kwargs["check_in_id"])})]

    @extend_schema(
        operation_id="withdraw_check_in",
        tags=["check-ins"],
        request=None,
        responses={200: ReceivedAnswer, **problems(401, 403, 404, 503)},
    )
    def delete(self, request: Request, check_in_id: UUID) -> Response:
        """Takes a check-in back: it counts for nothing any more. Open alerts stay open."""
        changed = changing.withdraw(
            actor=actor_of(request), check_in_id=check_in_id, now=timezone.now()
        )
        return self._answer(request, changed)

    def _answer(self, request: Request, changed: changing.Changed) -> Response:
        check_in = changed.check_in
        is_standing = changed.alert is not None and check_in.withdrawn_at is None
        rules = rules_of_check_in(check_in.pk) if is_standing else []
        response = Response(show_received(request, changed.patient, check_in, changed.alert, rules))
        response["ETag"] = etag_of(check_in)
        return response
