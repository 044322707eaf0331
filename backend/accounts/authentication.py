"""Bearer tokens for phones and scripts: opaque, hashed, checked against the row each time."""

from __future__ import annotations

from typing import cast

from django.utils import timezone, translation
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backend.accounts import rate_limits
from backend.accounts.actor import Actor, Role
from backend.accounts.hot_reads import Arrival, find_arrival
from backend.accounts.models import AccessToken, User
from backend.accounts.tokens import hash_token
from backend.request_ids import request_id_of
from backend.row_security import Acting, act_as


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. A revoked or expired token fails on its next use."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        arrival = _arrive(request, hash_token(token.strip()))
        if arrival is None:
            raise AuthenticationFailed
        request.arrival = arrival  # type: ignore[attr-defined]
        token, patient = arrival.token, arrival.patient
        translation.activate(token.user.language)
        act_as(Acting(token.user.role, token.user_id, patient.pk if patient else None))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _arrive(request: Request, token_hash: bytes) -> Arrival | None:
    limit = _limit_of(request)
    now = timezone.now()
    if limit is None:
        return find_arrival(token_hash, now=now)
    return find_arrival(token_hash, now=now, counted_as=limit.name, window_at=limit.window_at(now))


def _limit_of(request: Request) -> rate_limits.Limit | None:
    """The limit that the route counts this method by, if it does, from its `counted`."""
    counted = getattr(request.parser_context["view"], "counted", {})
    limit: rate_limits.Limit | None = counted.get(request.method)
    return limit


def require_allowance(request: Request) -> None:
    """Raises `RateLimited` when the account has come too often, as counted with its token."""
    limit = _limit_of(request)
    tries = cast("Arrival", request.arrival).tries  # type: ignore[attr-defined]
    if limit is not None and tries is not None:
        rate_limits.judge(limit, tries, now=timezone.now())


def token_of(request: Request) -> AccessToken:
    """The token that a signed-in request came with."""
    return cast("AccessToken", request.auth)


def language_of(request: Request) -> str:
    """The language of the account that a signed-in request came from."""
    return token_of(request).user.language


def actor_of(request: Request) -> Actor:
    """The frozen actor of a signed-in request."""
    token = token_of(request)
    return Actor(
        user_id=token.user_id,
        role=Role(token.user.role),
        device_id=token.device_id,
        request_id=request_id_of(request._request),
        own_patient=cast("Arrival", request.arrival).patient,  # type: ignore[attr-defined]
    )
