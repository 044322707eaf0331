"""What an administrator writes to put somebody on call, and the days on which nobody works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _

from backend import errors
from backend.errors import FieldProblem

MOST_DAYS = 14
LONGEST_NAME = 80
FORMAT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class ShiftForm:
    """Word for word what was written; `id` makes it count once however often it is sent.

    `problems` by the name of the field.
    """

    id: str
    clinician: str = ""
    starts: str = ""
    ends: str = ""
    days: str = "1"
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One shift or the same on so many days running, on the clock of the organisation."""

    first_id: UUID
    clinician_id: UUID
    spans: list[tuple[datetime, datetime]]


def empty_form(given: QueryDict, *, now: datetime, zone: str) -> ShiftForm:
    """With the times that a gap's link names, or the coming night."""
    today = now.astimezone(ZoneInfo(zone)).date()
    usual = (f"{today}T20:00", f"{today + timedelta(days=1)}T08:00")
    starts, ends = (_moment(given.get(name, "")) for name in ("starts", "ends"))
    if starts is None or ends is None:
        return ShiftForm(str(uuid4()), starts=usual[0], ends=usual[1])
    # A gap may be longer than a shift may be.
    ends = min(ends, starts + timedelta(days=7))
    return ShiftForm(str(uuid4()), starts=starts.strftime(FORMAT), ends=ends.strftime(FORMAT))


def read_shift_form(sent: QueryDict) -> ShiftForm:
    def text(name: str) -> str:
        return sent.get(name, "").replace("\0", "").strip()[:60]

    return ShiftForm(
        id=text("id"),
        clinician=text("clinician"),
        starts=text("starts"),
        ends=text("ends"),
        days=text("days"),
    )


def planned(form: ShiftForm, *, zone: str) -> Planned:
    """Raises `Invalid` with a problem for each field that cannot be meant."""
    wrong: list[FieldProblem] = []
    first_id = _id(form.id)
    if first_id is None:
        wrong.append(
            FieldProblem(
                "/id", "not_an_id", _("This form was not complete. Please load the page again.")
            )
        )
    clinician_id = _id(form.clinician)
    if clinician_id is None:
        wrong.append(FieldProblem("/clinician_id", "invalid_value", _("Please say who.")))
    starts, ends = _moment(form.starts), _moment(form.ends)
    for name, found in (("starts_at", starts), ("ends_at", ends)):
        if found is None:
            words = _("Please choose a day and a time.")
            wrong.append(FieldProblem(f"/{name}", "invalid_value", words))
    days = int(form.days) if form.days.isascii() and form.days.isdigit() else 0
    if not 1 <= days <= MOST_DAYS:
        words = _("Please write a number from 1 to %(most)d.") % {"most": MOST_DAYS}
        wrong.append(FieldProblem("/days", "out_of_bounds", words))
    if wrong or first_id is None or clinician_id is None or starts is None or ends is None:
        raise errors.Invalid(
            "invalid_body",
            _("Nothing was saved. Please look at what is marked below."),
            problems=wrong,
        )
    where = ZoneInfo(zone)
    try:
        spans = [
            (_there(starts, offset, where), _there(ends, offset, where)) for offset in range(days)
        ]
    except OverflowError:
        words = _("Please choose a day and a time.")
        raise errors.invalid_field("/starts_at", "invalid_value", words) from None
    return Planned(first_id, clinician_id, spans)


def _there(written: datetime, days: int, zone: ZoneInfo) -> datetime:
    return (written + timedelta(days=days)).replace(tzinfo=zone)


def _id(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _moment(written: str) -> datetime | None:
    """A day and a time as a browser's field for both writes them, without a zone."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is None and 2000 < found.year < 9000 else None


NAMES = {"clinician_id": "clinician", "starts_at": "starts", "ends_at": "ends"}


def with_problems(form: ShiftForm, error: errors.DomainError) -> ShiftForm:
    """The same, with what is wrong beside the field that it is about."""
    found: dict[str, str] = {}
    for one in error.problems:
        name = one.pointer.strip("/").partition("/")[0]
        found.setdefault(NAMES.get(name, name), one.detail)
    return replace(form, problems=found)


def read_holiday(sent: QueryDict) -> tuple[date, str]:
    """The day and its name. Raises `Invalid`."""
    name = sent.get("name", "").replace("\0", "").strip()
    if not name or len(name) > LONGEST_NAME:
        words = _("Please give the day a name of at most %(most)d letters.")
        raise errors.invalid_field("/name", "invalid_value", words % {"most": LONGEST_NAME})
    return read_day(sent), name


def read_day(sent: QueryDict) -> date:
    """Raises `Invalid`."""
    try:
        return date.fromisoformat(sent.get("on", ""))
    except ValueError:
        raise errors.invalid_field("/on", "invalid_value", _("Please choose a day.")) from None
