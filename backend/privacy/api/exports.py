"""Taking everything of one's own along."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.permissions import ANONYMOUS
from backend.privacy import services
from backend.privacy.models import Export
from backend.privacy.services import AskedExport
from backend.request_ids import request_id_of
from backend.rest import HandrailView, read_body

PATIENT_ONLY = frozenset({Role.PATIENT})


class ExportBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the app."""

    id: UUID


class ExportAnswer(Struct):
    """`link` is there in one answer alone, the first after it is ready. It opens the ZIP once,
    until `link_expires_at`."""

    id: UUID
    status: Literal["preparing", "ready", "fetched", "expired"]
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    size: int
    link: str | None
    link_expires_at: datetime | None


def show_export(asked: AskedExport) -> ExportAnswer:
    export = asked.export
    return ExportAnswer(
        id=export.pk,
        status=_status(export),
        requested_at=export.requested_at,
        ready_at=export.ready_at,
        expires_at=export.expires_at,
        size=export.size,
        link=f"/api/v1/exports/{asked.link}" if asked.link else None,
        link_expires_at=export.link_expires_at,
    )


def _status(export: Export) -> Literal["preparing", "ready", "fetched", "expired"]:
    if export.ready_at is None:
        return "preparing"
    if export.fetched_at is not None:
        return "fetched"
    return "ready" if export.deleted_at is None else "expired"


class OwnExportsView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="request_export",
        tags=["privacy"],
        request=ExportBody,
        responses={
            202: ExportAnswer,
            200: ExportAnswer,
            **problems(400, 401, 403, 409, 413, 415, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Asks for everything that is kept about one. It is made within a minute."""
        asked = services.request_export(
            actor=actor_of(request),
            export_id=read_body(request, ExportBody).id,
            now=timezone.now(),
        )
        return Response(show_export(asked), status=202 if asked.is_new else 200)


class OwnExportView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY}

    @extend_schema(
        operation_id="read_export",
        tags=["privacy"],
        responses={200: ExportAnswer, **problems(401, 403, 404)},
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        """How far it is; once, when it is ready, with the link to it."""
        asked = services.read_export(
            actor=actor_of(request), export_id=export_id, now=timezone.now()
        )
        response = Response(show_export(asked))
        response["Cache-Control"] = "no-store"
        return response


class FetchedExportView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"GET": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="fetch_export",
        tags=["privacy"],
        responses={
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY),
            **problems(404, 410),
        },
        auth=[],
    )
    def get(self, request: Request, link: UUID) -> HttpResponse:
        """The ZIP, once. It holds the data as JSON, as CSV and as a page to read."""
        fetched = services.fetch_export(
            link=link, request_id=request_id_of(request._request), now=timezone.now()
        )
        response = HttpResponse(fetched.content, content_type="application/zip")
        # On a screen that others see, a file's name says nothing.
        name = f"export-{fetched.made_at:%Y-%m-%d}.zip"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response
