"""An organisation's ladder in the words of the page: who is told, how, and when the next one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.accounts.models import Clinician
from backend.aftercare.ladder_rules import PASSED_ON, STANDARD, Rung, Way, Who, rung_of
from backend.aftercare.ladder_selectors import RotaView
from backend.aftercare.models import EscalationLadder
from backend.dashboard.wording import full_day

WHO_WORDS: Mapping[str, Promise] = {
    Who.CARE_TEAM: gettext_lazy("The patient's care team"),
    Who.THERAPIST: gettext_lazy("The patient's therapist"),
    Who.CASE_MANAGER: gettext_lazy("The patient's case manager"),
    Who.ON_CALL: gettext_lazy("Whoever is on call"),
    Who.CLINICAL_SUPERVISOR: gettext_lazy("A clinical supervisor"),
    Who.NAMED: gettext_lazy("People by name"),
}
WAY_WORDS: Mapping[str, Promise] = {
    Way.PUSH: gettext_lazy("push"),
    Way.SMS: gettext_lazy("SMS"),
    Way.EMAIL: gettext_lazy("e-mail"),
}


@dataclass(frozen=True, slots=True)
class Wait:
    """When a rung is told and for how long it may be silent, for one severity; both in words."""

    severity: str
    told: str
    silent: str


@dataclass(frozen=True, slots=True)
class RungShown:
    """`people` names those of today, where they are the same for every patient."""

    number: int
    who: str
    people: str
    is_empty: bool
    ways: str
    waits: list[Wait]
    is_last: bool


@dataclass(frozen=True, slots=True)
class LadderShown:
    """`version` 0 is the standard ladder. `review` is a sentence, empty for that one."""

    version: int
    rungs: list[RungShown]
    reason: str
    decided_by: str
    changed: str
    review: str
    is_review_due: bool


def show_ladder(
    row: EscalationLadder | None, rota: RotaView, *, zone: str, now: datetime
) -> LadderShown:
    """A version, or the standard one; `rota` says who stands on its rungs today."""
    rungs = [rung_of(one) for one in row.rungs] if row else list(STANDARD)
    today = now.astimezone(ZoneInfo(zone)).date()
    shown = [_rung(rungs, index, rota) for index in range(len(rungs))]
    if row is None:
        return LadderShown(0, shown, "", "", "", "", is_review_due=False)
    changed = formats.date_format(row.changed_at.astimezone(ZoneInfo(zone)), "DATETIME_FORMAT")
    return LadderShown(
        version=row.version,
        rungs=shown,
        reason=row.reason,
        decided_by=row.decided_by,
        changed=str(changed),
        review=_review(row.review_on, today),
        is_review_due=row.review_on <= today,
    )


def _review(day: date, today: date) -> str:
    if day <= today:
        return _("It was to be looked at again on %(day)s. Please do.") % {"day": full_day(day)}
    return _("It is looked at again on %(day)s.") % {"day": full_day(day)}


def _rung(rungs: Sequence[Rung], index: int, rota: RotaView) -> RungShown:
    rung = rungs[index]
    names = people_of(rung, rota)
    return RungShown(
        number=index + 1,
        who=str(WHO_WORDS[rung.who]),
        people=", ".join(names or ()),
        is_empty=names is not None and not names,
        ways=ways_words(rung.ways),
        waits=[_wait(rungs, index, severity.value) for severity in PASSED_ON],
        is_last=index == len(rungs) - 1,
    )


def _wait(rungs: Sequence[Rung], index: int, severity: str) -> Wait:
    before = sum(rung.silent[severity] for rung in rungs[:index])
    return Wait(
        severity=severity,
        told=_("after %(span)s") % {"span": minutes_words(before)} if index else _("at once"),
        silent=minutes_words(rungs[index].silent[severity]),
    )


def people_of(rung: Rung, rota: RotaView) -> list[str] | None:
    """By name; None where they are other ones for each patient."""
    match rung.who:
        case Who.ON_CALL:
            found: Sequence[Clinician] = rota.on_call
        case Who.CLINICAL_SUPERVISOR:
            found = [one for one in rota.staff if rung.who.value in one.roles]
        case Who.NAMED:
            found = [one for one in rota.staff if str(one.pk) in rung.clinician_ids]
        case _:
            return None
    return [one.display_name for one in found]


def ways_words(ways: Sequence[str]) -> str:
    """In the order in which they are offered; none named are all."""
    if not ways:
        return _("by every way that works")
    named = [str(words) for way, words in WAY_WORDS.items() if way in ways]
    return _("by %(ways)s") % {"ways": ", ".join(named)}


def minutes_words(minutes: int) -> str:
    """Exactly: with hours from two of them on."""
    hours, rest = divmod(minutes, 60)
    if hours >= 2 and rest:
        return _("%(hours)d h %(count)d min") % {"hours": hours, "count": rest}
    if hours >= 2:
        return _("%(count)d h") % {"count": hours}
    return _("%(count)d min") % {"count": minutes}
