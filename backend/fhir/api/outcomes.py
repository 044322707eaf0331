"""Errors as FHIR tells them: an OperationOutcome with the code that every other route uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import structlog
from fhir.resources.R4B.operationoutcome import OperationOutcome
from rest_framework.response import Response

from backend import errors
from backend.fhir.api.rendering import FHIR_JSON
from backend.request_ids import request_id_of
from backend.rest import describe

logger = structlog.get_logger(__name__)

PROBLEM = "urn:handrail:problem"
_ISSUES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    429: "throttled",
    503: "transient",
}


def outcome_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler for the FHIR routes."""
    request_id = request_id_of(context["request"]._request)
    status, code, detail, _extra = describe(error)
    if status >= 500:
        logger.error("request_failed", code=code, status=status, exc_info=error)
    outcome = OperationOutcome.model_validate(
        {
            "issue": [
                {
                    "severity": "error",
                    "code": _ISSUES.get(status, "exception" if status >= 500 else "processing"),
                    "details": {"coding": [{"system": PROBLEM, "code": code}], "text": detail},
                    "diagnostics": f"X-Request-ID {request_id}",
                }
            ]
        }
    )
    response = Response(outcome, status=status, content_type=FHIR_JSON)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response["Retry-After"] = "5"
    if isinstance(error, errors.RateLimited):
        response["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return response
