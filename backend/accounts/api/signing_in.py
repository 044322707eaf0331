"""Signing in and out, enrolling."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import services
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, token_of
from backend.openapi import problems
from backend.permissions import ANONYMOUS
from backend.request_ids import request_id_of
from backend.rest import HandrailView, read_body

Email = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Password = Annotated[str, Meta(min_length=1, max_length=200)]
EVERYONE_SIGNED_IN = frozenset({Role.PATIENT, Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR})


class SignInBody(Struct, forbid_unknown_fields=True):
    """Staff who have an authenticator app may send its `code` along, and are done."""

    email: Email
    password: Password
    code: Annotated[str, Meta(max_length=40)] = ""


class EnrolBody(Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(max_length=40)]
    email: Email
    password: Password
    born_on: date
    language: Literal["en", "es"] = "en"


class SignedInAnswer(Struct):
    token: str
    expires_at: datetime
    role: str
    language: str


class MfaRequiredAnswer(Struct):
    """The password was right. `mfa_token` opens nothing but the second step."""

    mfa_token: str
    expires_at: datetime
    is_enrolled: bool


def address_of(request: Request | HttpRequest) -> str:
    """The client's network address, through as many proxies as are declared our own."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop]
    trusted = settings.TRUSTED_PROXIES
    return hops[-trusted] if 0 < trusted <= len(hops) else peer


def show_signed_in(signed_in: services.SignedIn) -> SignedInAnswer:
    return SignedInAnswer(
        token=signed_in.token,
        expires_at=signed_in.expires_at,
        role=signed_in.user.role,
        language=signed_in.user.language,
    )


class SignInView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="sign_in",
        tags=["account"],
        request=SignInBody,
        responses={
            200: SignedInAnswer,
            202: MfaRequiredAnswer,
            **problems(400, 401, 413, 415, 429),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchanges e-mail and password for a bearer token.

        Staff are told 202 and go on to `POST /api/v1/sign-in/mfa`; their token comes from there,
        or from here where the code of their app came along.
        """
        body = read_body(request, SignInBody)
        signed_in = services.sign_in(
            email=body.email,
            password=body.password,
            code=body.code,
            address=address_of(request),
            request_id=request_id_of(request._request),
            now=timezone.now(),
        )
        if isinstance(signed_in, services.MfaRequired):
            return Response(
                MfaRequiredAnswer(signed_in.token, signed_in.expires_at, signed_in.is_enrolled),
                status=202,
            )
        return Response(show_signed_in(signed_in))


class SignOutView(HandrailView):
    allowed_roles = {"POST": EVERYONE_SIGNED_IN}

    @extend_schema(
        operation_id="sign_out",
        tags=["account"],
        request=None,
        responses={204: None, **problems(401)},
    )
    def post(self, request: Request) -> Response:
        """Ends this token and unbinds its phone: nothing queued reaches it any more."""
        services.sign_out(actor=actor_of(request), token=token_of(request), now=timezone.now())
        return Response(status=204)


class SignOutEverywhereView(HandrailView):
    allowed_roles = {"POST": EVERYONE_SIGNED_IN}

    @extend_schema(
        operation_id="sign_out_everywhere",
        tags=["account"],
        request=None,
        responses={204: None, **problems(401)},
    )
    def post(self, request: Request) -> Response:
        """Ends every token and unbinds every phone of this account, this one too."""
        services.sign_out_everywhere(actor=actor_of(request), now=timezone.now())
        return Response(status=204)


class EnrolView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="enrol",
        tags=["account"],
        request=EnrolBody,
        responses={201: SignedInAnswer, **problems(400, 404, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Makes the account of the person whose one-time code this is, and signs them in."""
        body = read_body(request, EnrolBody)
        signed_in = services.enrol(
            code=body.code,
            email=body.email,
            password=body.password,
            born_on=body.born_on,
            language=body.language,
            address=address_of(request),
            request_id=request_id_of(request._request),
            now=timezone.now(),
        )
        return Response(show_signed_in(signed_in), status=201)
