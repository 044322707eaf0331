"""What the phones of the ingest bench send: one in twenty check-ins is acute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from backend.intake.bodies import CheckInBody

ACUTE_EVERY = 20
_HOME = ZoneInfo("America/New_York")
_ID = "the-id-of-this-one"


def check_in(*, at: datetime, is_acute: bool) -> dict[str, Any]:
    """A daily check-in as the app sends it; its id is still to be filled in."""
    local = at.astimezone(_HOME)
    return {
        "id": _ID,
        "kind": "daily",
        "local_date": local.date().isoformat(),
        "recorded_at": local.isoformat(timespec="seconds"),
        "time_zone": "America/New_York",
        "mood": 6,
        "craving": 9 if is_acute else 3,
        "confidence": 7,
        "sleep_hours": 7.25,
        "sleep_quality": 4,
        "exercise_minutes": 35,
        "exercise_kind": "walk",
        "use_reported": False,
        "cues": ["payday", "an argument"],
        "helped": ["called my sponsor", "a walk"],
        "note": "Long day at work. Walked home instead of taking the bus.",
    }


assert check_in(at=datetime.now(_HOME), is_acute=True).keys() <= set(CheckInBody.__struct_fields__)


class Template:
    """JSON with places for ids, so that a request costs the client a join and no encoding."""

    def __init__(self, document: Any) -> None:
        self._parts = json.dumps(document).encode().split(_ID.encode())

    @property
    def places(self) -> int:
        return len(self._parts) - 1

    def filled(self, ids: Iterator[bytes]) -> bytes:
        parts = self._parts
        return b"".join([part for head in parts[:-1] for part in (head, next(ids))] + [parts[-1]])


def check_in_templates(*, at: datetime) -> tuple[Template, Template]:
    """A calm one and an acute one."""
    return Template(check_in(at=at, is_acute=False)), Template(check_in(at=at, is_acute=True))


def days_offline(*, at: datetime, days: int, acute_days: frozenset[int]) -> list[dict[str, Any]]:
    """A check-in for each of the last days, the oldest first."""
    return [
        check_in(at=at - timedelta(days=ago), is_acute=ago in acute_days)
        for ago in range(days - 1, -1, -1)
    ]


def fresh_ids(seed: int) -> Iterator[bytes]:
    """Ids that no other run uses, spread as random ones are. `seed` below 2**32."""
    for number in count(1):
        spread = (number * 0x9E3779B97F4A7C15) & (2**64 - 1)
        text = f"{spread:016x}{seed:08x}{number & 0xFFFFFFFF:08x}"
        yield f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}".encode()


def request(path: str, token: str, body: bytes, *, scheme: str = "Bearer") -> bytes:
    """One HTTP request in full."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {scheme} {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
