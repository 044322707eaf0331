"""The second step of signing in, for staff: an app's code or a recovery code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts import services
from backend.accounts.actor import Role
from backend.accounts.api.signing_in import address_of
from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.permissions import ANONYMOUS
from backend.request_ids import request_id_of
from backend.rest import HandrailView, read_body

STAFF = frozenset({Role.CLINICIAN, Role.ADMINISTRATOR, Role.OPERATOR})
Token = Annotated[str, Meta(min_length=1, max_length=100)]
Code = Annotated[str, Meta(min_length=6, max_length=40)]


class MfaBody(Struct, forbid_unknown_fields=True):
    """`code` is six figures from the app, or a recovery code."""

    mfa_token: Token
    code: Code


class MfaEnrolmentBody(Struct, forbid_unknown_fields=True):
    mfa_token: Token


class RecoveryCodesBody(Struct, forbid_unknown_fields=True):
    code: Code


class StaffSignedInAnswer(Struct):
    """`recovery_codes` come with the first sign-in alone. Nobody can show them again."""

    token: str
    expires_at: datetime
    role: str
    language: str
    recovery_codes: list[str]


class TotpAnswer(Struct):
    """`secret` to type into an authenticator app; `otpauth_uri` for a picture that it reads."""

    secret: str
    otpauth_uri: str


class RecoveryCodesAnswer(Struct):
    recovery_codes: list[str]


class SecondStepView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="sign_in_mfa",
        tags=["account"],
        request=MfaBody,
        responses={200: StaffSignedInAnswer, **problems(400, 401, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Exchanges the second step for a bearer token. Each code works once."""
        body = read_body(request, MfaBody)
        signed_in = services.sign_in_with_code(
            mfa_token=body.mfa_token,
            code=body.code,
            address=address_of(request),
            request_id=request_id_of(request._request),
            now=timezone.now(),
        )
        return Response(
            StaffSignedInAnswer(
                token=signed_in.token,
                expires_at=signed_in.expires_at,
                role=signed_in.user.role,
                language=signed_in.user.language,
                recovery_codes=list(signed_in.recovery_codes),
            )
        )


class MfaEnrolmentView(HandrailView):
    authentication_classes = ()
    allowed_roles = {"POST": frozenset({ANONYMOUS})}

    @extend_schema(
        operation_id="enrol_mfa",
        tags=["account"],
        request=MfaEnrolmentBody,
        responses={200: TotpAnswer, **problems(400, 401, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """The key for an authenticator app, at the first sign-in; a code then confirms it."""
        body = read_body(request, MfaEnrolmentBody)
        proposed = services.propose_totp(
            token=body.mfa_token, address=address_of(request), now=timezone.now()
        )
        return Response(TotpAnswer(secret=proposed.secret, otpauth_uri=proposed.address))


class RecoveryCodesView(HandrailView):
    allowed_roles = {"POST": STAFF}

    @extend_schema(
        operation_id="renew_recovery_codes",
        tags=["account"],
        request=RecoveryCodesBody,
        responses={200: RecoveryCodesAnswer, **problems(400, 401, 403, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Ten new recovery codes, for a code of the app; all earlier ones end."""
        body = read_body(request, RecoveryCodesBody)
        codes = services.renew_recovery_codes(
            actor=actor_of(request), code=body.code, now=timezone.now()
        )
        return Response(RecoveryCodesAnswer(recovery_codes=list(codes)))
