"""New passwords, with a code from a mail or with the current one."""

from __future__ import annotations

from typing import Annotated

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import services
from backend.accounts.api.signing_in import EVERYONE_SIGNED_IN, Email, Password, address_of
from backend.accounts.authentication import actor_of, token_of
from backend.openapi import problems
from backend.permissions import ANONYMOUS
from backend.request_ids import request_id_of
from backend.rest import HandrailView, read_body


class PasswordResetBody(Struct, forbid_unknown_fields=True):
    email: Email


class PasswordResetConfirmBody(Struct, forbid_unknown_fields=True):
    """`code` as it stands in the mail; hyphens and capitals make no difference."""

    email: Email
    code: Annotated[str, Meta(max_length=40)]
    password: Password


class PasswordBody(Struct, forbid_unknown_fields=True):
    current_password: Password
    password: Password


class PasswordResetView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="request_password_reset",
        tags=["account"],
        request=PasswordResetBody,
        responses={202: None, **problems(400, 413, 415, 429)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Mails a one-time code to this address if it has an account. The answer never tells."""
        services.request_password_reset(
            email=read_body(request, PasswordResetBody).email,
            address=address_of(request),
            request_id=request_id_of(request._request),
            now=timezone.now(),
        )
        return Response(status=202)


class PasswordResetConfirmView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="confirm_password_reset",
        tags=["account"],
        request=PasswordResetConfirmBody,
        responses={204: None, **problems(400, 413, 415, 429)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Sets the password with the newest code from a mail. Every sign-in of the account ends."""
        body = read_body(request, PasswordResetConfirmBody)
        services.confirm_password_reset(
            email=body.email,
            code=body.code,
            password=body.password,
            address=address_of(request),
            request_id=request_id_of(request._request),
            now=timezone.now(),
        )
        return Response(status=204)


class PasswordView(HandrailView):
    allowed_roles = {"POST": EVERYONE_SIGNED_IN}

    @extend_schema(
        operation_id="change_password",
        tags=["account"],
        request=PasswordBody,
        responses={204: None, **problems(400, 401, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Sets another password. Every other sign-in of the account ends; this one stays."""
        body = read_body(request, PasswordBody)
        services.change_password(
            actor=actor_of(request),
            token=token_of(request),
            current_password=body.current_password,
            password=body.password,
            now=timezone.now(),
        )
        return Response(status=204)
