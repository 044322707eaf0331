"""Days on which an organisation's care team does not work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from django.db import transaction

from backend.accounts import audit
from backend.accounts.access import access_administrator
from backend.accounts.actor import Actor
from backend.accounts.models import Organisation
from backend.aftercare.monitoring_hours import HOLIDAYS


@transaction.atomic
def set_holidays(*, actor: Actor, days: Mapping[date, str]) -> Organisation:
    """Replaces the list; promises count none of these days as staffed from the next answer on.

    The same list again changes nothing. Raises `Forbidden` for whoever is no administrator.
    """
    own = access_administrator(actor).organisation
    organisation = Organisation.objects.select_for_update().get(pk=own.pk)
    named = {day.isoformat(): name for day, name in sorted(days.items())}
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
