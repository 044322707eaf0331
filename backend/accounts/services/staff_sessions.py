"""Signing in to the pages of the care team, with a browser's session instead of a token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.actor import Actor, Role
from backend.accounts.models import User
from backend.accounts.services import second_step
from backend.accounts.services.passkeys import SignedByPasskey
from backend.accounts.services.second_step import MfaRequired
from backend.accounts.services.signing_in import verify_password

HAVE_PAGES = (Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR)


def sign_in_staff(
    *, email: str, password: str, address: str, request_id: str, now: datetime
) -> MfaRequired:
    """The second step of the member of staff whose account this password opens.

    Raises what `verify_password` raises, and `Forbidden` for every other role: whoever knows the
    password may be told that these pages are not for them.
    """
    user = verify_password(email=email, password=password, address=address, now=now)
    actor = Actor(user_id=user.pk, role=Role(user.role), request_id=request_id)
    if actor.role not in HAVE_PAGES:
        audit.record_denial(actor=actor, action="sign_in.desk", patient_id=None)
        raise errors.Forbidden(
            "not_care_team",
            _("These pages are for the care team. Your account opens other doors."),
        )
    with transaction.atomic():
        return second_step.begin(user=user, request_id=request_id, now=now)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Whose session may begin. `recovery_codes` are shown this once and never stored."""

    user: User
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


def sign_in_staff_with_code(
    *, mfa_token: str, code: str, address: str, request_id: str, now: datetime
) -> StaffSession:
    """The second step of a sign-in to the pages; the caller begins the session.

    Raises what `second_step.open_challenge` and `second_step.pass_with_code` raise.
    """
    challenge = second_step.open_challenge(token=mfa_token, address=address, now=now)
    with transaction.atomic():
        codes = second_step.pass_with_code(
            challenge=challenge, code=code, request_id=request_id, now=now
        )
        _note_session(challenge.user, request_id)
    return StaffSession(user=challenge.user, recovery_codes=codes)


def sign_in_staff_with_passkey(
    *, mfa_token: str, signed: SignedByPasskey, address: str, request_id: str, now: datetime
) -> StaffSession:
    """As with a code, for who has a passkey of this browser or of a key they carry."""
    challenge = second_step.open_challenge(token=mfa_token, address=address, now=now)
    with transaction.atomic():
        second_step.pass_with_passkey(
            challenge=challenge, signed=signed, request_id=request_id, now=now
        )
        _note_session(challenge.user, request_id)
    return StaffSession(user=challenge.user)


def _note_session(user: User, request_id: str) -> None:
    actor = Actor(user_id=user.pk, role=Role(user.role), request_id=request_id)
    audit.record(actor=actor, action="sign_in", object_kind="session")


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
