"""Bearer tokens for phones and scripts: opaque, hashed, checked against the row each time."""

from __future__ import annotations

from typing import cast

from django.utils import timezone, translation
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backend.accounts.actor import Actor, Role
from backend.accounts.hot_reads import find_token
from backend.accounts.models import AccessToken, User
from backend.accounts.tokens import hash_token
from backend.request_ids import request_id_of


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. A revoked or expired token fails on its next use."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        row = find_token(hash_token(token.strip()), now=timezone.now())
        if row is None:
            raise AuthenticationFailed
        translation.activate(row.user.language)
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


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
    )
