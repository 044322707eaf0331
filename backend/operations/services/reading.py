"""What an operator may see: how the servers are doing, and nothing of any person."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.operations.selectors import Status, read_status


def read_operations(*, actor: Actor, now: datetime) -> Status:
    """Raises `Forbidden` for everybody but operators; the refusal is audited."""
    if actor.role is not Role.OPERATOR:
        audit.record_denial(actor=actor, action="operations.read", patient_id=None)
        raise errors.Forbidden("forbidden", _("This account cannot do that."))
    return read_status(now=now)
