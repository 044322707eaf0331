"""Days on which an organisation's care team does not work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import access_administrator
from backend.accounts.actor import Actor
from backend.accounts.models import Organisation
from backend.aftercare.monitoring_hours import HOLIDAYS

MOST_HOLIDAYS = 400


@transaction.atomic
def set_holidays(*, actor: Actor, days: Mapping[date, str]) -> Organisation:
    """Replaces the list; promises count none of these days as staffed from the next answer on.

    The same list again changes nothing. Raises `Forbidden` for whoever is no administrator.
    """
    return _store(actor, _own(actor), {day.isoformat(): name for day, name in days.items()})


@transaction.atomic
def add_holiday(*, actor: Actor, day: date, name: str) -> Organisation:
    """One day more, or another name for it; the others stay whatever somebody else does to them.

    Raises `Forbidden` for whoever is no administrator.
    """
    organisation = _own(actor)
    known: Mapping[str, str] = organisation.monitoring_hours.get(HOLIDAYS, {})
    if len(known) >= MOST_HOLIDAYS and day.isoformat() not in known:
        raise errors.Conflict("too_many_items", _("There are too many of these already."))
    return _store(actor, organisation, {**known, day.isoformat(): name})


@transaction.atomic
def remove_holiday(*, actor: Actor, day: date) -> Organisation:
    """One day less; again changes nothing. Raises `Forbidden` for whoever is no administrator."""
    organisation = _own(actor)
    known: Mapping[str, str] = organisation.monitoring_hours.get(HOLIDAYS, {})
    return _store(
        actor, organisation, {on: name for on, name in known.items() if on != day.isoformat()}
    )


def _own(actor: Actor) -> Organisation:
    """The administrator's organisation, locked for this transaction."""
    own = access_administrator(actor).organisation
    return Organisation.objects.select_for_update().get(pk=own.pk)


def _store(actor: Actor, organisation: Organisation, days: Mapping[str, str]) -> Organisation:
    named = dict(sorted(days.items()))
    if organisation.monitoring_hours.get(HOLIDAYS, {}) == named:
        return organisation
    organisation.monitoring_hours = {**organisation.monitoring_hours, HOLIDAYS: named}
    organisation.save(update_fields=["monitoring_hours"])
    audit.record(
        actor=actor,
        action="organisation.set_holidays",
        object_kind="organisation",
        object_id=organisation.pk,
        facts={"count": len(named)},
    )
    return organisation
