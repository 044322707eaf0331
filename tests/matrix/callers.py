"""How everyone of the matrix is signed in, and how some no longer are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.test import Client

from backend.accounts.actor import Role
from backend.accounts.models import AccessToken, Clinician, User
from backend.accounts.services import second_step
from backend.accounts.tokens import hash_token
from backend.dashboard.sessions import ACTIVE_AT, BACKEND, SECOND_STEP, SIGNED_IN_AT
from tests.people import PASSWORD, enrol_app, next_code
from tests.phones import make_token


@dataclass(frozen=True)
class Caller:
    """One column of the table: a token for the API and a session for the pages."""

    email: str
    token: str = field(default="", repr=False)
    session: str = field(default="", repr=False)


def _session(user: User, *, age: timedelta = timedelta()) -> str:
    client = Client()
    client.force_login(user, backend=BACKEND)
    at = (datetime.now(UTC) - age).timestamp()
    session = client.session
    session[SIGNED_IN_AT] = session[ACTIVE_AT] = at
    session.save()
    return str(session.session_key)


def signed_in(user: User) -> Caller:
    return Caller(user.email, make_token(user), _session(user))


def ended(inactive: Clinician, revoked: Clinician) -> dict[str, Caller]:
    """Two of the patient's own care team whose way in was closed after they had come in."""
    callers = {"inactive": signed_in(inactive.user)}
    User.objects.filter(pk=inactive.user_id).update(is_active=False)
    token = make_token(revoked.user)
    AccessToken.objects.filter(token_hash=hash_token(token)).update(revoked_at=datetime.now(UTC))
    session = _session(revoked.user, age=timedelta(minutes=16))
    return {**callers, "revoked": Caller(revoked.user.email, token, session)}


def expired(user: User) -> Caller:
    token = make_token(user)
    AccessToken.objects.filter(token_hash=hash_token(token)).update(expires_at=datetime.now(UTC))
    return Caller(user.email, token)


def waiting(user: User) -> Caller:
    """The password was right; what that gave stands in for a token and opens a session."""
    enrol_app(user)
    token = second_step.begin(user=user, request_id="", now=datetime.now(UTC)).token
    session = Client().session
    session[SECOND_STEP] = token
    session.save()
    return Caller(user.email, token, str(session.session_key))


def code_of(caller: Caller) -> str:
    """A code of the caller's own app, if they have one."""
    user = User.objects.filter(email=caller.email).exclude(role=Role.PATIENT).first()
    return next_code(user) if user else "000000"


def sign_in_body(caller: Caller) -> dict[str, str]:
    return {"email": caller.email, "password": PASSWORD}
