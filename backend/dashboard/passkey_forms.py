"""Passkeys in a form: the question goes out in an attribute, the answer comes back in a field."""

from __future__ import annotations

import ipaddress
import json

from django.http import HttpRequest

from backend.accounts.services import Ceremony, SignedByPasskey

STATE = "passkey_state"
LONGEST_ANSWER = 20_000


def host_of(request: HttpRequest) -> str:
    """The name that passkeys are made for; empty for a bare address, which can have none."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host
    return ""


def kept(request: HttpRequest, ceremony: Ceremony) -> str:
    """Keeps what the answer is checked against and returns the question for the page."""
    request.session[STATE] = dict(ceremony.state)
    return json.dumps(dict(ceremony.options))


def sent(request: HttpRequest) -> SignedByPasskey | None:
    """The answer to the question that was asked last, which is asked once."""
    raw = request.POST.get("passkey", "")
    if not raw:
        return None
    state = request.session.pop(STATE, {})
    try:
        answer = json.loads(raw[:LONGEST_ANSWER])
    except (ValueError, RecursionError):
        answer = {}
    found = answer if isinstance(answer, dict) else {}
    return SignedByPasskey(host=host_of(request), state=state, answer=found)
