"""Who is on call in the words of the page: day by day, with every time that nobody is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from backend.aftercare import rota
from backend.aftercare.ladder_selectors import RotaView
from backend.dashboard.wording import clock_of

DAYS = rota.SHOWN.days
STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day's line, in steps of five minutes: `shift`, `gap`, `open` or `past`."""

    kind: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One line of a day: who, or that nobody is. `note` says where it goes on beyond the day.

    `fill` leads to the form with these times in it.
    """

    kind: str
    times: str
    name: str
    note: str = ""
    shift_id: UUID | None = None
    fill: str = ""


@dataclass(frozen=True, slots=True)
class DayShown:
    day: date
    title: str
    holiday: str
    steps: int
    bars: list[Bar]
    stretches: list[Stretch]
    has_gap: bool


@dataclass(frozen=True, slots=True)
class GapShown:
    words: str
    fill: str


@dataclass(frozen=True, slots=True)
class RotaShown:
    """`on_call` is a sentence about now, `ahead` one about the gaps of the days that come."""

    on_call: str
    is_covered: bool
    ahead: str
    gaps: list[GapShown]
    days: list[DayShown]
    time_zone: str


@dataclass(frozen=True, slots=True)
class _Span:
    kind: str
    starts_at: datetime
    ends_at: datetime
    name: str = ""
    shift_id: UUID | None = None


def show_rota(found: RotaView, *, holidays: dict[str, str], now: datetime) -> RotaShown:
    """The next 14 days where the organisation is, from midnight today on.

    Before the first shift and after the last one there is no rota: everybody with the role is on
    call then, and that is no gap.
    """
    zone = ZoneInfo(found.time_zone)
    today = now.astimezone(zone).date()
    spans = _spans(found, now=now, until=_midnight(today + timedelta(days=DAYS), zone))
    gaps = [one for one in spans if one.kind == "gap"]
    names = ", ".join(one.display_name for one in found.on_call)
    return RotaShown(
        on_call=_now_words(names, has_rota=found.has_rota),
        is_covered=bool(names),
        ahead=_ahead(len(gaps), bool(found.shifts)),
        gaps=[_gap(one, zone) for one in gaps],
        days=[
            _day(today + timedelta(days=offset), spans, zone, holidays, now=now)
            for offset in range(DAYS)
        ],
        time_zone=found.time_zone,
    )


def _now_words(names: str, *, has_rota: bool) -> str:
    if not names and has_rota:
        return _("Nobody is on call now. The next rung of the ladder is told at once.")
    if not names:
        return _("Nobody has the role of being on call.")
    if has_rota:
        return _("On call now: %(names)s.") % {"names": names}
    return _("There is no rota now, so everybody with the role is on call: %(names)s.") % {
        "names": names
    }


def _ahead(count: int, has_shifts: bool) -> str:
    if count:
        words = ngettext(
            "%(count)d gap in the next 14 days: nobody is on call then.",
            "%(count)d gaps in the next 14 days: nobody is on call then.",
            count,
        )
        return words % {"count": count}
    if has_shifts:
        return _("No gap in the next 14 days.")
    return _("No shift is planned for the next 14 days.")


def _spans(found: RotaView, *, now: datetime, until: datetime) -> list[_Span]:
    shifts = [
        _Span("shift", one.starts_at, one.ends_at, one.clinician.display_name, one.pk)
        for one in found.shifts
    ]
    rota_from = now if found.has_rota else min((one.starts_at for one in shifts), default=until)
    rota_until = found.planned_until or now
    bare = rota.gaps(((one.starts_at, one.ends_at) for one in shifts), since=now, until=until)
    free = [
        _Span("open" if ends <= rota_from or starts >= rota_until else "gap", starts, ends)
        for starts, ends in bare
    ]
    return sorted([*shifts, *free], key=lambda one: (one.starts_at, one.ends_at))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _day(
    day: date, spans: Sequence[_Span], zone: ZoneInfo, holidays: dict[str, str], *, now: datetime
) -> DayShown:
    begin, end = (_midnight(one, zone) for one in (day, day + timedelta(days=1)))
    here = [one for one in spans if one.starts_at < end and one.ends_at > begin]
    return DayShown(
        day=day,
        title=_title(day),
        holiday=holidays.get(day.isoformat(), ""),
        steps=_steps(begin, end),
        bars=list(_bars(here, begin, end, now=now)),
        stretches=[_stretch(one, begin, end, zone, is_first=begin <= now) for one in here],
        has_gap=any(one.kind == "gap" for one in here),
    )


def _steps(begin: datetime, end: datetime) -> int:
    # By the instants: subtracting two times of one zone would not count a changed clock.
    return round((end.timestamp() - begin.timestamp()) / STEP.total_seconds())


def _bars(
    spans: Iterable[_Span], begin: datetime, end: datetime, *, now: datetime
) -> Iterable[Bar]:
    if begin < now < end:
        yield Bar("past", 0, _steps(begin, now))
    for one in spans:
        first, last = max(one.starts_at, begin, now), min(one.ends_at, end)
        if first < last:
            yield Bar(one.kind, _steps(begin, first), max(_steps(first, last), 1))


def _stretch(
    one: _Span, begin: datetime, end: datetime, zone: ZoneInfo, *, is_first: bool
) -> Stretch:
    first, last = max(one.starts_at, begin), min(one.ends_at, end)
    notes = []
    if one.starts_at < begin:
        notes.append(_("since the day before"))
    if one.ends_at > end:
        notes.append(_("into the next day"))
    return Stretch(
        kind=one.kind,
        times=_("%(first)s to %(last)s")
        % {
            "first": clock_of(first, zone.key),
            "last": "24:00" if last == end else clock_of(last, zone.key),
        },
        name=one.name,
        note=", ".join(notes) if one.kind != "open" else "",
        # Once, where it begins or where the page does.
        shift_id=one.shift_id if is_first or one.starts_at >= begin else None,
        fill=_fill(one, zone) if one.kind == "gap" else "",
    )


def _fill(one: _Span, zone: ZoneInfo) -> str:
    return f"starts={_local(one.starts_at, zone)}&ends={_local(one.ends_at, zone)}"


def _gap(one: _Span, zone: ZoneInfo) -> GapShown:
    first, last = (moment.astimezone(zone) for moment in (one.starts_at, one.ends_at))
    ends = clock_of(last, zone.key)
    if last.date() != first.date():
        ends = f"{_title(last.date())}, {ends}"
    begins = f"{_title(first.date())}, {clock_of(first, zone.key)}"
    words = _("%(first)s to %(last)s") % {"first": begins, "last": ends}
    return GapShown(words=words, fill=_fill(one, zone))


def _title(day: date) -> str:
    return str(formats.date_format(day, pgettext("format of a day", "D, M j")))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """As a field for a day and a time holds it, which knows no seconds."""
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%dT%H:%M")
