"""The phones of the signed-in account: listing, binding, revoking, and whether one is private."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from msgspec import UNSET, Meta, Struct, UnsetType, field
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts import services
from backend.accounts.api.signing_in import EVERYONE_SIGNED_IN
from backend.accounts.authentication import actor_of, token_of
from backend.accounts.models import Device
from backend.accounts.selectors import own_live_devices
from backend.openapi import problems
from backend.rest import HandrailView, read_body

Printable = Meta(min_length=8, max_length=1024, pattern=r"^[!-~]+$")
Base64 = Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+=*$")


class SubscriptionKeys(Struct, forbid_unknown_fields=True):
    """What messages to this browser are sealed with (RFC 8291), in URL-safe base64."""

    p256dh: Annotated[str, Base64]
    auth: Annotated[str, Base64]


class PushSubscription(Struct, forbid_unknown_fields=True):
    """As a browser's `PushSubscription.toJSON()` gives it."""

    endpoint: Annotated[str, Printable]
    keys: SubscriptionKeys
    expires_in_ms: float | None = field(default=None, name="expirationTime")


class DeviceBody(Struct, forbid_unknown_fields=True):
    """A phone app sends its `push_target`; a browser says `web_push` and sends its `subscription`,
    and needs neither of the other two words.

    `is_private` stays as it was when it is left out; a new phone is private.
    """

    push_target: Annotated[str, Printable] | UnsetType = UNSET
    subscription: PushSubscription | UnsetType = UNSET
    kind: Literal["fcm", "web_push"] = "fcm"
    target_kind: Literal["token", "fid"] = "token"
    platform: Literal["android", "ios", "web"] = "android"
    is_private: bool | UnsetType = UNSET


class DeviceAnswer(Struct):
    id: UUID
    kind: str
    target_kind: str
    platform: str
    is_private: bool
    registered_at: datetime
    is_this_one: bool


class DevicePrivacyBody(Struct, forbid_unknown_fields=True):
    is_private: bool


class DevicesAnswer(Struct):
    results: list[DeviceAnswer]


def show_device(device: Device, *, is_this_one: bool) -> DeviceAnswer:
    return DeviceAnswer(
        id=device.installation_id,
        kind=device.kind,
        target_kind=device.target_kind,
        platform=device.platform,
        is_private=device.is_private,
        registered_at=device.registered_at,
        is_this_one=is_this_one,
    )


def target_of(body: DeviceBody) -> services.PushTarget:
    """Where that sends to. Raises `Invalid`, naming the field, unless the body says one way."""
    if body.kind == "web_push":
        if body.push_target is not UNSET:
            raise _misplaced("/push_target")
        if body.subscription is UNSET:
            raise _missing("/subscription")
        keys = body.subscription.keys
        return services.browser_target(
            endpoint=body.subscription.endpoint, p256dh=keys.p256dh, auth=keys.auth
        )
    if body.subscription is not UNSET:
        raise _misplaced("/subscription")
    if body.push_target is UNSET:
        raise _missing("/push_target")
    return services.PushTarget(
        kind=body.kind,
        push_target=body.push_target,
        target_kind=body.target_kind,
        platform=body.platform,
    )


def _missing(pointer: str) -> errors.Invalid:
    return errors.invalid_field(pointer, "missing", _("This kind of device needs it."))


def _misplaced(pointer: str) -> errors.Invalid:
    return errors.invalid_field(pointer, "unexpected", _("This kind of device has none."))


class DevicesView(HandrailView):
    allowed_roles = {"GET": EVERYONE_SIGNED_IN}

    @extend_schema(
        operation_id="list_devices",
        tags=["account"],
        responses={200: DevicesAnswer, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        """The phones bound to this account now, the newest first, and which of them asks."""
        actor = actor_of(request)
        assert actor.user_id is not None
        rows = own_live_devices(actor.user_id)
        shown = [show_device(row, is_this_one=row.pk == actor.device_id) for row in rows]
        return Response(DevicesAnswer(results=shown))


class DeviceView(HandrailView):
    allowed_roles = dict.fromkeys(("PUT", "PATCH", "DELETE"), EVERYONE_SIGNED_IN)

    @extend_schema(
        operation_id="register_device",
        tags=["account"],
        request=DeviceBody,
        responses={200: DeviceAnswer, 201: DeviceAnswer, **problems(400, 401, 404, 413, 415)},
    )
    def put(self, request: Request, installation_id: UUID) -> Response:
        """Binds this phone and its push target to the signed-in account, and to nobody else."""
        body = read_body(request, DeviceBody)
        target = target_of(body)
        registered = services.register_device(
            actor=actor_of(request),
            token=token_of(request),
            installation_id=installation_id,
            target=target,
            is_private=None if body.is_private is UNSET else body.is_private,
            now=timezone.now(),
        )
        status = 201 if registered.is_new else 200
        return Response(show_device(registered.device, is_this_one=True), status=status)

    @extend_schema(
        operation_id="set_device_privacy",
        tags=["account"],
        request=DevicePrivacyBody,
        responses={200: DeviceAnswer, **problems(400, 401, 404, 413, 415)},
    )
    def patch(self, request: Request, installation_id: UUID) -> Response:
        """Says that this phone is private or not. One that is not gets no messages, from now on."""
        actor = actor_of(request)
        device = services.set_device_privacy(
            actor=actor,
            installation_id=installation_id,
            is_private=read_body(request, DevicePrivacyBody).is_private,
        )
        return Response(show_device(device, is_this_one=device.pk == actor.device_id))

    @extend_schema(
        operation_id="revoke_device",
        tags=["account"],
        request=None,
        responses={204: None, **problems(401, 404)},
    )
    def delete(self, request: Request, installation_id: UUID) -> Response:
        """Unbinds a phone and ends its tokens: its next request is refused. Safe to repeat."""
        services.revoke_device(
            actor=actor_of(request), installation_id=installation_id, now=timezone.now()
        )
        return Response(status=204)
