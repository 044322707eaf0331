"""Search results as a Bundle, with opaque links to this page and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from backend.fhir.labels import META


def searchset(
    resources: Sequence[Any], *, base: str, self_link: str, next_link: str | None
) -> Bundle:
    """`base` is the address below which every resource can be read, without a slash at its end."""
    links = [{"relation": "self", "url": self_link}]
    if next_link:
        links.append({"relation": "next", "url": next_link})
    entries = [
        {
            "fullUrl": f"{base}/{resource.get_resource_type()}/{resource.id}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    return Bundle.model_validate(
        {"type": "searchset", "meta": META, "link": links, "entry": entries or None}
    )
