"""Who sits at the desk: a browser's session that ends after a quarter of an hour of rest.

What the pages ask for by themselves does not count as activity, or an open page would never end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib import auth
from django.http import HttpRequest

from backend.accounts.access import access_administrator, access_clinician
from backend.accounts.actor import Actor, Role
from backend.accounts.models import User
from backend.dashboard.desk import Desk, Office
from backend.request_ids import request_id_of
from backend.row_security import Acting, act_as

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
# The session's row is written at most this often.
WRITTEN_EVERY = timedelta(minutes=1)
BACKEND = "django.contrib.auth.backends.ModelBackend"
SIGNED_IN_AT, ACTIVE_AT = "signed_in_at", "active_at"
SECOND_STEP = "second_step"


def await_second_step(request: HttpRequest, token: str) -> None:
    """Keeps what the second step needs; opens nothing else."""
    auth.logout(request)
    request.session[SECOND_STEP] = token


def begin(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Ties the browser to the account, under a new key."""
    request.session.pop(SECOND_STEP, None)
    auth.login(request, user, backend=BACKEND)
    request.session[SIGNED_IN_AT] = request.session[ACTIVE_AT] = now.timestamp()


def end(request: HttpRequest) -> None:
    """Forgets everything about this browser but its language."""
    auth.logout(request)


def is_over(request: HttpRequest, *, now: datetime) -> bool:
    """Whether it rested too long, or began too long ago."""
    began, active = (request.session.get(name, 0.0) for name in (SIGNED_IN_AT, ACTIVE_AT))
    rested = now - datetime.fromtimestamp(active, tz=UTC)
    return rested >= IDLE or now - datetime.fromtimestamp(began, tz=UTC) >= LONGEST


def renew(request: HttpRequest, *, now: datetime) -> None:
    """Notes that somebody is there."""
    if now.timestamp() - request.session[ACTIVE_AT] >= WRITTEN_EVERY.total_seconds():
        request.session[ACTIVE_AT] = now.timestamp()


def signed_in_user(request: HttpRequest) -> User | None:
    """The account, as long as it is a clinician's. From here on it is they who act."""
    return _acting(request, Role.CLINICIAN)


def signed_in_operator(request: HttpRequest) -> User | None:
    """The account, as long as it is an operator's. From here on it is they who act."""
    return _acting(request, Role.OPERATOR)


def signed_in_administrator(request: HttpRequest) -> User | None:
    """The account, as long as it is an administrator's. From here on it is they who act."""
    return _acting(request, Role.ADMINISTRATOR)


def signed_in_anyone(request: HttpRequest) -> User | None:
    """The account, whichever of the pages are its own. From here on it is they who act."""
    found = signed_in_user(request) or signed_in_administrator(request)
    return found or signed_in_operator(request)


def _acting(request: HttpRequest, role: Role) -> User | None:
    user = request.user
    if not isinstance(user, User) or user.role != role:
        return None
    act_as(Acting(user.role, user.pk))
    return user


def actor_of(request: HttpRequest, user: User) -> Actor:
    """The frozen actor of a signed-in browser."""
    return Actor(user_id=user.pk, role=Role(user.role), request_id=request_id_of(request))


def desk_of(request: HttpRequest, user: User, *, now: datetime) -> Desk:
    """Raises `Forbidden` for an account without a clinician."""
    actor = actor_of(request, user)
    return Desk(actor=actor, clinician=access_clinician(actor), language=user.language, now=now)


def office_of(request: HttpRequest, user: User, *, now: datetime) -> Office:
    """Raises `Forbidden` for an account without an administrator."""
    actor = actor_of(request, user)
    return Office(actor=actor, administrator=access_administrator(actor), now=now)
