"""An organisation's ladder: a new version with who decided it, why, and when it is looked at again.

A version is never changed. Alerts that are open keep the ladder that they opened with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import ORGANISATION_WIDE, access_administrator
from backend.accounts.actor import Actor
from backend.accounts.models import Clinician, Organisation
from backend.aftercare.ladder_rules import Rung, Who, faults
from backend.aftercare.ladder_selectors import newest_ladder
from backend.aftercare.models import EscalationLadder
from backend.errors import FieldProblem

LONGEST_UNTIL_REVIEW = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class LadderDraft:
    """A version to be: `user_ids` of its rungs are filled in when it is stored."""

    rungs: Sequence[Rung]
    reason: str
    decided_by: str
    review_on: date


@transaction.atomic
def set_ladder(
    *, actor: Actor, draft: LadderDraft, base_version: int, now: datetime
) -> tuple[Organisation, EscalationLadder]:
    """Stores the next version, if `base_version` is the newest one (0 for the standard ladder).

    What stands so already is a replay and changes nothing. Raises `Forbidden` for whoever is no
    administrator, `Invalid` below the floors of `ladder_rules`, and `Conflict` with the newest
    version when it is another one.
    """
    administrator = access_administrator(actor)
    # One at a time for each organisation.
    organisation = Organisation.objects.select_for_update(no_key=True).get(
        pk=administrator.organisation_id
    )
    rungs = _with_accounts(organisation, draft.rungs)
    newest = newest_ladder(organisation.pk)
    if newest is not None and _says(newest) == _wants(draft, rungs):
        return organisation, newest
    if (newest.version if newest else 0) != base_version:
        raise errors.Conflict(
            "ladder_changed",
            _("The ladder was changed in the meantime. Please read it again."),
            extra={"stored": newest},
        )
    _refuse_review_day(draft, organisation, now=now)
    version = EscalationLadder.objects.create(
        organisation=organisation,
        version=base_version + 1,
        rungs=[rung.as_json() for rung in rungs],
        reason=draft.reason,
        decided_by=draft.decided_by,
        review_on=draft.review_on,
        changed_by_id=administrator.user_id,
        changed_at=now,
    )
    audit.record(
        actor=actor,
        action="organisation.set_ladder",
        object_kind="escalation_ladder",
        object_id=version.pk,
        facts={"version": version.version, "count": len(rungs)},
    )
    return organisation, version


def _says(stored: EscalationLadder) -> tuple[object, ...]:
    return (stored.rungs, stored.reason, stored.decided_by, stored.review_on)


def _wants(draft: LadderDraft, rungs: Sequence[Rung]) -> tuple[object, ...]:
    return ([one.as_json() for one in rungs], draft.reason, draft.decided_by, draft.review_on)


def _with_accounts(organisation: Organisation, rungs: Sequence[Rung]) -> list[Rung]:
    """The same with the accounts of whom they name. Raises `Invalid`."""
    wrong = list(faults(rungs))
    named = {clinician_id for rung in rungs for clinician_id in rung.clinician_ids}
    rows = Clinician.objects.filter(
        organisation=organisation, pk__in=named, user__is_active=True
    ).in_bulk()
    known = {str(row.pk): row for row in rows.values()}
    for index, rung in enumerate(rungs):
        for nth, clinician_id in enumerate(rung.clinician_ids):
            row = known.get(clinician_id)
            where = f"/rungs/{index}/clinician_ids/{nth}"
            if row is None:
                wrong.append((where, "not_in_organisation"))
            elif rung.who is Who.NAMED and not set(row.roles) & set(ORGANISATION_WIDE):
                wrong.append((where, "sees_no_patients"))
    if wrong:
        raise errors.Invalid(
            "invalid_body",
            _("This ladder cannot be used."),
            problems=[replace(_refusals()[code], pointer=where) for where, code in wrong],
        )
    return [
        replace(rung, user_ids=tuple(str(known[one].user_id) for one in rung.clinician_ids))
        for rung in rungs
    ]


def ladder_problems(rungs: Sequence[Rung]) -> list[FieldProblem]:
    """What is wrong with rungs by their rules alone, with the places; nothing for a sound ladder.

    Whether the people whom they name can be named is found out when they are stored.
    """
    return [replace(_refusals()[code], pointer=where) for where, code in faults(rungs)]


def _refusals() -> dict[str, FieldProblem]:
    """What `faults` and names that cannot be used are called, without their places."""
    known = (
        FieldProblem("", "empty_ladder", _("A ladder needs at least one rung.")),
        FieldProblem("", "last_rung_not_supervisor", _("The last rung is a clinical supervisor.")),
        FieldProblem(
            "", "supervisor_too_late", _("A clinical supervisor would hear of it too late.")
        ),
        FieldProblem(
            "",
            "named_mismatch",
            _("A rung of named people names them, and no other rung does."),
        ),
        FieldProblem("", "out_of_bounds", _("This is too short or too long.")),
        FieldProblem("", "wakes_nobody", _("E-mail alone wakes nobody: add push or SMS.")),
        FieldProblem("", "contradiction", _("This is named twice.")),
        FieldProblem("", "not_in_organisation", _("There is no such clinician here.")),
        FieldProblem(
            "",
            "sees_no_patients",
            _(
                "Name people who are on call or clinical supervisors:"
                " others may not see the patient."
            ),
        ),
    )
    return {one.code: one for one in known}


def _refuse_review_day(draft: LadderDraft, organisation: Organisation, *, now: datetime) -> None:
    today = now.astimezone(ZoneInfo(organisation.time_zone)).date()
    if draft.review_on <= today:
        raise errors.invalid_field("/review_on", "in_the_past", _("Choose a day to come."))
    if draft.review_on > today + LONGEST_UNTIL_REVIEW:
        raise errors.invalid_field("/review_on", "too_many_days", _("Choose a day within a year."))
