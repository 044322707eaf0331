"""Pages of people in the order in which they were added."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from backend import errors
from backend.accounts.models import Clinician, Patient
from backend.rest import decode_cursor

PAGE_PARAMETERS = [
    OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 200; 50 unless told."),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next_cursor` of the page before."),
]


def position(request: Request) -> tuple[datetime, UUID] | None:
    """Where the page before ended; None for the first. Raises `Invalid`."""
    cursor = request.query_params.get("cursor")
    if not cursor:
        return None
    try:
        at, last_id = decode_cursor(cursor)
        created_at = datetime.fromisoformat(at)
        if created_at.utcoffset() is None:
            raise ValueError("no zone")
        return created_at, UUID(last_id)
    except ValueError:
        raise errors.Invalid("invalid_cursor", _("This page marker is not one of ours.")) from None


def cursor_of(row: Patient | Clinician) -> tuple[str, str]:
    return row.created_at.isoformat(), str(row.pk)
