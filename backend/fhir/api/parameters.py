"""The parameters of a search. One that is not known is refused: ignoring it would widen it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.request import Request

from backend.fhir.kinds import Kind, Position, Token, bad_cursor
from backend.fhir.services import Asked, invalid_parameter
from backend.rest import decode_cursor

COUNT, CURSOR, FORMAT = "_count", "_cursor", "_format"
PAGING = frozenset({COUNT, CURSOR, FORMAT})
FORMATS = ("json", "application/json", "application/fhir+json")
DEFAULT, LARGEST = 50, 200


def asked(request: Request, kind: Kind) -> Asked:
    """Raises `Invalid` naming the parameter."""
    known = {kind.patient_parameter}
    known |= {kind.date_parameter} if kind.date_parameter else set()
    known |= {"code"} if kind.has_codes else set()
    refuse_unknown(request, known)
    patient = _once(request, kind.patient_parameter)
    return Asked(
        patient_id=None if patient is None else _patient_id(kind, patient),
        dates=_all(request, kind.date_parameter),
        codes=[_tokens(raw) for raw in _all(request, "code")],
        after=cursor(request),
        size=count(request),
    )


def refuse_unknown(request: Request, known: Collection[str] = ()) -> None:
    for name in request.query_params:
        if name not in PAGING and name not in known:
            # Its name is not repeated: a person may have written anything.
            raise invalid_parameter("?", _("this address knows no such parameter."))
    written = _once(request, FORMAT)
    if written is not None and written not in FORMATS:
        raise invalid_parameter(FORMAT, _("only JSON is answered."))


def count(request: Request) -> int:
    """A larger number than is answered at once is no mistake: the rest is on the next page."""
    raw = _once(request, COUNT)
    if raw is None:
        return DEFAULT
    if not raw.isascii() or not raw.isdigit() or not int(raw[:6]):
        raise invalid_parameter(COUNT, _("a number from 1."))
    return min(int(raw[:6]), LARGEST)


def cursor(request: Request) -> Position | None:
    raw = _once(request, CURSOR)
    if raw is None:
        return None
    position = tuple(decode_cursor(raw))
    if not position:
        raise bad_cursor()
    return position


def _all(request: Request, name: str) -> list[str]:
    return [str(raw) for raw in request.query_params.getlist(name)] if name else []


def _once(request: Request, name: str) -> str | None:
    written = _all(request, name)
    if len(written) > 1:
        raise invalid_parameter(name, _("once is enough."))
    return written[0] if written else None


def _patient_id(kind: Kind, raw: str) -> UUID:
    try:
        return UUID(raw.removeprefix("Patient/"))
    except ValueError:
        raise invalid_parameter(kind.patient_parameter, _("say whose, by one id.")) from None


def _tokens(raw: str) -> list[Token]:
    return [_token(part) for part in raw.split(",")]


def _token(raw: str) -> Token:
    system, bar, code = raw.rpartition("|")
    if not code:
        raise invalid_parameter("code", _("a code, or a system, a bar and a code."))
    return Token(system if bar else None, code)
