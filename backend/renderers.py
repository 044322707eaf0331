"""How answers become bytes. Apart from `rest.py`, as REST framework imports this by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from rest_framework import negotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(BaseRenderer):
    """JSON by msgspec: aware datetimes in RFC 3339, dates in ISO 8601, UUIDs as text."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)


class JSONFirst(negotiation.DefaultContentNegotiation):
    """Nearly everybody asks for JSON, or for anything: that takes no look at the whole header."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first, *_others = renderers
        is_plain = request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", "application/json")
        if is_plain and isinstance(first, JSONRenderer) and "format" not in request.GET:
            return first, JSONRenderer.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, renderers, format_suffix
        )
        return chosen
