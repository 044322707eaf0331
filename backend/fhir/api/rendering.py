"""FHIR's own content type, and JSON for who asks for that alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from rest_framework import renderers

FHIR_JSON = "application/fhir+json"


class FhirRenderer(renderers.BaseRenderer):
    media_type = FHIR_JSON
    format = "fhir"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        if isinstance(data, FHIRResourceModel):
            return str(data.model_dump_json()).encode()
        return msgspec.json.encode(data)


class FhirAsJsonRenderer(FhirRenderer):
    media_type = "application/json"
    format = "json"
