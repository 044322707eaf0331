"""Who saw a patient between two days, in the words of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backend.accounts.actor import Role
from backend.accounts.models import Patient
from backend.dashboard.caseload_page import full_name
from backend.dashboard.desk import Office
from backend.privacy.api.audit import AuditLine, days_said
from backend.privacy.services.reading import Days

USUAL_DAYS = 30
ROLE_WORDS: Mapping[str, Promise] = {
    Role.CLINICIAN: gettext_lazy("Clinician"),
    Role.ADMINISTRATOR: gettext_lazy("Administrator"),
    Role.OPERATOR: gettext_lazy("Operator"),
}


@dataclass(frozen=True, slots=True)
class ShownAct:
    """`when` is where the organisation is."""

    at: datetime
    when: str
    who: str
    role: str
    what: str
    is_refused: bool


@dataclass(frozen=True, slots=True)
class ShownPatient:
    patient_id: UUID
    name: str
    born: str


def chosen_days(given: Mapping[str, str], office: Office) -> Days:
    """The days asked for, or the last 30 up to today where the organisation is.

    A first day left out is that long before the last; a last one is today. Raises `Invalid`.
    """
    said = days_said(given.get("from"), given.get("to"))
    today = office.now.astimezone(ZoneInfo(office.zone)).date()
    last = said.last or max(today, said.first or today)
    usual = date.fromordinal(max(last.toordinal() - USUAL_DAYS + 1, 1))
    return Days(first=said.first or usual, last=last)


def show_act(line: AuditLine, office: Office) -> ShownAct:
    local = line.at.astimezone(ZoneInfo(office.zone))
    return ShownAct(
        at=line.at,
        when=str(formats.date_format(local, "DATETIME_FORMAT")),
        who=line.who,
        role=str(ROLE_WORDS.get(line.role, line.role)),
        what=line.what,
        is_refused=line.kind == "refused",
    )


def show_found(patient: Patient) -> ShownPatient:
    born = patient.born_on
    return ShownPatient(
        patient_id=patient.pk,
        name=full_name(patient.given_name, patient.family_name),
        born=_("born %(day)s") % {"day": formats.date_format(born, "DATE_FORMAT")} if born else "",
    )


def found_words(count: int, *, has_more: bool) -> str:
    """How many, and what to do where there are more."""
    if has_more:
        return _("These are the first %(count)d. Write more of the name.") % {"count": count}
    return ngettext("%(count)d person found.", "%(count)d people found.", count) % {"count": count}
