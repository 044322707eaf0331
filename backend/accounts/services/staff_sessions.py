"""Signing in to the pages of the care team, with a browser's session instead of a token."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.models import User
from backend.accounts.services.signing_in import verify_password


def sign_in_staff(
    *, email: str, password: str, address: str, request_id: str, now: datetime
) -> User:
    """The clinician's account that this password opens; the caller begins the session.

    Raises what `verify_password` raises, and `Forbidden` for every other role: whoever knows the
    password may be told that these pages are not for them.
    """
    user = verify_password(email=email, password=password, address=address, now=now)
    actor = Actor(user_id=user.pk, role=Role(user.role), request_id=request_id)
    if actor.role is not Role.CLINICIAN:
        audit.record_denial(actor=actor, action="sign_in.desk", patient_id=None)
        raise errors.Forbidden(
            "not_care_team",
            _("These pages are for the care team. Your account opens other doors."),
        )
    audit.record(actor=actor, action="sign_in", object_kind="session")
    return user


def sign_out_staff(*, actor: Actor) -> None:
    """Says in the audit log that a session ended; the caller ends it."""
    audit.record(actor=actor, action="sign_out", object_kind="session")


@transaction.atomic
def choose_language(*, actor: Actor, language: str) -> None:
    """Sets the language of the signed-in account, one of the settings' LANGUAGES."""
    if language not in dict(settings.LANGUAGES):
        raise errors.invalid_field("/language", "unknown_language", _("Choose one of these."))
    user = User.objects.get(pk=str(actor.user_id))
    user.language = language
    user.save(update_fields=["language"])
    audit.record(actor=actor, action="language.choose", facts={"language": language})
