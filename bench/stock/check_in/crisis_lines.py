"""The lines of each country, as they go into an answer."""

from __future__ import annotations

from typing import Any

from backend.aftercare.crisis_resources import help_for

# Made once: what a line says does not change while a server runs.
CRISIS_LINES: dict[str, list[dict[str, Any]]] = {
    "US": [resource.as_json("en") for resource in help_for(["US"], "en")]
}
