"""What a clinician writes to plan sessions, as the rule that the programme stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend import errors
from backend.dashboard.programme import KIND_WORDS
from backend.errors import FieldProblem
from backend.program.recurrence import WEEKDAYS

SHORTEST, LONGEST = 5, 720
USUAL_CLOCK, USUAL_MINUTES, USUAL_WEEKS = "18:00", "180", timedelta(weeks=12)
REPEATS: Mapping[str, Promise] = {
    "weekly": gettext_lazy("Every week"),
    "fortnightly": gettext_lazy("Every second week"),
    "once": gettext_lazy("Once"),
}
DAY_WORDS: Mapping[str, Promise] = {
    "MO": gettext_lazy("Mon"),
    "TU": gettext_lazy("Tue"),
    "WE": gettext_lazy("Wed"),
    "TH": gettext_lazy("Thu"),
    "FR": gettext_lazy("Fri"),
    "SA": gettext_lazy("Sat"),
    "SU": gettext_lazy("Sun"),
}


@dataclass(frozen=True, slots=True)
class PlanForm:
    """Word for word what was written; `id` makes it count once however often it is sent.

    `problems` by the name of the field.
    """

    id: str
    kind: str = "group"
    first_on: str = ""
    at: str = USUAL_CLOCK
    minutes: str = USUAL_MINUTES
    repeat: str = "weekly"
    weekdays: tuple[str, ...] = ()
    last_on: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be stored; an empty `rule` is one session."""

    id: UUID
    kind: str
    first_on: date
    at: time
    minutes: int
    rule: str


def empty_plan(*, now: datetime, zone: str) -> PlanForm:
    """From tomorrow on, for twelve weeks."""
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    last_on = tomorrow + USUAL_WEEKS
    return PlanForm(str(uuid4()), first_on=tomorrow.isoformat(), last_on=last_on.isoformat())


def read_plan_form(sent: QueryDict) -> PlanForm:
    def text(name: str) -> str:
        return sent.get(name, "").replace("\0", "").strip()[:60]

    return PlanForm(
        id=text("id"),
        kind=text("kind"),
        first_on=text("first_on"),
        at=text("at"),
        minutes=text("minutes"),
        repeat=text("repeat"),
        weekdays=tuple(day for day in WEEKDAYS if day in sent.getlist("weekdays")),
        last_on=text("last_on"),
    )


def plan_of(form: PlanForm) -> Plan:
    """Raises `Invalid` with a problem for each field that cannot be meant."""
    wrong: list[FieldProblem] = []

    def refuse(name: str, words: str) -> None:
        wrong.append(FieldProblem(f"/{name}", "invalid_value", words))

    plan_id = id_of(form.id)
    if plan_id is None:
        refuse("id", _("This form was not complete. Please load the page again."))
    if form.kind not in KIND_WORDS:
        refuse("kind", _("Please say which kind."))
    if form.repeat not in REPEATS:
        refuse("repeat", _("Please say how often."))
    first_on, last_on, at = day_of(form.first_on), day_of(form.last_on), clock_of(form.at)
    if first_on is None:
        refuse("first_on", _("Please choose a day."))
    if at is None:
        refuse("at", _("Please choose a time."))
    if form.repeat != "once" and (last_on is None or (first_on is not None and last_on < first_on)):
        refuse("last_on", _("Please choose a last day that is not before the first."))
    is_number = form.minutes.isascii() and form.minutes.isdigit()
    minutes = int(form.minutes) if is_number else 0
    if not SHORTEST <= minutes <= LONGEST:
        words = _("Please write from %(least)d to %(most)d minutes.")
        refuse("minutes", words % {"least": SHORTEST, "most": LONGEST})
    if wrong or plan_id is None or first_on is None or at is None:
        raise errors.Invalid(
            "invalid_body",
            _("Nothing was saved. Please look at what is marked below."),
            problems=wrong,
        )
    return Plan(plan_id, form.kind, first_on, at, minutes, _rule(form, last_on))


def _rule(form: PlanForm, last_on: date | None) -> str:
    if form.repeat == "once" or last_on is None:
        return ""
    parts = ["FREQ=WEEKLY"]
    if form.repeat == "fortnightly":
        parts.append("INTERVAL=2")
    if form.weekdays:
        parts.append(f"BYDAY={','.join(form.weekdays)}")
    return ";".join([*parts, f"UNTIL={last_on:%Y%m%d}"])


def id_of(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def day_of(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def clock_of(written: str) -> time | None:
    """As a browser's field for a time writes it, to the minute."""
    try:
        found = time.fromisoformat(written)
    except ValueError:
        return None
    return None if found.tzinfo else found.replace(second=0, microsecond=0)


def moment_of(day: date, at: time, zone: str) -> datetime:
    """That time on that day where the programme is."""
    return datetime.combine(day, at, ZoneInfo(zone))


NAMES = {"starts_at": "first_on", "rule": "last_on", "duration_minutes": "minutes"}


def with_problems(form: PlanForm, error: errors.DomainError) -> PlanForm:
    """The same, with what is wrong beside the field that it is about."""
    found: dict[str, str] = {}
    if error.code == "no_episode":
        found["first_on"] = error.detail
    for one in error.problems:
        name = one.pointer.strip("/").partition("/")[0]
        found.setdefault(NAMES.get(name, name), one.detail)
    return replace(form, problems=found)
