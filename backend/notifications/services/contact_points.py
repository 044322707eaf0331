"""A clinician's own addresses: added, verified by a code that is sent there, given up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, rate_limits
from backend.accounts.access import access_clinician, not_found
from backend.accounts.actor import Actor
from backend.accounts.services.devices import lock_account
from backend.accounts.tokens import hash_code, new_code
from backend.notifications.models import AddressChannel, ContactPoint
from backend.notifications.push import Channel, Outcome, PushMessage, Sender, TargetKind
from backend.notifications.selectors import delivery_is_paused
from backend.queue import Job, enqueue_on_commit

logger = structlog.get_logger(__name__)

MOST_CODES = 5
"""In one call: each may take as long as its provider lets it."""

NEXT_TRY = timedelta(seconds=30)
CODES_BY_ACCOUNT = rate_limits.Limit("contact_codes", 10, timedelta(hours=1))
TRIES_BY_ACCOUNT = rate_limits.Limit("contact_tries", 10, timedelta(minutes=15))
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def add_contact_point(
    *, actor: Actor, channel: str, address: str, acute_only: bool, now: datetime
) -> ContactPoint:
    """One's own address, and a code on its way there. Another one of its kind is given up for it.

    The same address again changes when it is used; a code is sent again while it is not verified.
    Raises `Forbidden` for whoever is no clinician, `Invalid`, `RateLimited` by account.
    """
    clinician = access_clinician(actor)
    address = checked_address(channel, address)
    rate_limits.spend(CODES_BY_ACCOUNT, str(clinician.user_id), now=now)
    with transaction.atomic():
        lock_account(clinician.user_id)
        standing = ContactPoint.objects.filter(
            user_id=clinician.user_id, channel=channel, retired_at__isnull=True
        ).first()
        if standing is not None and standing.address != address:
            retire_contact_point(actor=actor, point=standing, reason="replaced", now=now)
            standing = None
        is_new = standing is None
        point = standing or ContactPoint(
            user_id=clinician.user_id, channel=channel, address=address, added_at=now
        )
        point.acute_only = acute_only
        if point.verified_at is None:
            point.code_due_at = now
            enqueue_on_commit(Job.SEND_CONTACT_CODES)
        point.save()
        _audit(actor, "contact_point.add" if is_new else "contact_point.change", point)
    return point


def verify_contact_point(*, actor: Actor, point_id: UUID, code: str, now: datetime) -> ContactPoint:
    """Opens the address for messages. A verified one stays so, whatever the code.

    Raises `NotFound` for one that is not this account's, `Invalid` for a wrong or old code,
    `RateLimited` by account.
    """
    clinician = access_clinician(actor)
    rate_limits.spend(TRIES_BY_ACCOUNT, str(clinician.user_id), now=now)
    with transaction.atomic():
        point = _own(clinician.user_id, point_id)
        if point.verified_at is not None:
            return point
        is_fresh = point.code_expires_at is not None and point.code_expires_at > now
        if not (is_fresh and constant_time_compare(point.code_hash, hash_code(code))):
            raise errors.invalid_field(
                "/code", "wrong_code", _("This code is wrong, or it is too old.")
            )
        point.verified_at, point.code_hash = now, ""
        point.code_due_at = point.code_expires_at = None
        point.save()
        _audit(actor, "contact_point.verify", point)
    return point


@transaction.atomic
def remove_contact_point(*, actor: Actor, point_id: UUID, now: datetime) -> None:
    """Nothing is sent there any more, nor what is queued. Raises `NotFound`."""
    clinician = access_clinician(actor)
    point = _own(clinician.user_id, point_id)
    retire_contact_point(actor=actor, point=point, reason="removed", now=now)


@transaction.atomic
def retire_contact_point(*, actor: Actor, point: ContactPoint, reason: str, now: datetime) -> bool:
    """Ends the use of one address, if it is still what it was; whether that changed anything."""
    retired = ContactPoint.objects.filter(
        pk=point.pk, address=point.address, retired_at__isnull=True
    ).update(retired_at=now, retired_reason=reason, code_due_at=None, code_hash="")
    if retired:
        _audit(actor, "contact_point.retire", point)
    return bool(retired)


@transaction.atomic
def retire_contact_point_again(*, actor: Actor, point_id: UUID, at: datetime) -> bool:
    """After a restore: gives up an address that was given up after the back-up."""
    point = ContactPoint.objects.filter(pk=point_id, retired_at__isnull=True).first()
    return point is not None and retire_contact_point(
        actor=actor, point=point, reason="restored", now=at
    )


def send_contact_codes(*, senders: Mapping[Channel, Sender], now: datetime) -> int:
    """Sends the codes that are due, each made now; returns how many. Any number may run at once.

    Raises RuntimeError inside a transaction: a message cannot be rolled back.
    """
    if connection.in_atomic_block:
        raise RuntimeError("codes are sent outside any transaction")
    sent = 0
    while not delivery_is_paused() and sent < MOST_CODES:
        code = new_code()
        point = _claim_code(code, channels=[str(way) for way in senders], now=now)
        if point is None:
            break
        sent += 1
        result = senders[Channel(point.channel)].send([_message(point, code, now=now)], now=now)[0]
        if result.outcome in (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.TARGET_GONE):
            ContactPoint.objects.filter(pk=point.pk, code_hash=hash_code(code)).update(
                code_due_at=None
            )
        else:
            logger.warning("code_not_sent", channel=point.channel, error=result.error)
    return sent


@transaction.atomic
def _claim_code(code: str, *, channels: list[str], now: datetime) -> ContactPoint | None:
    """Moves the due time on before anything is sent: that is the lease, and the next try."""
    point = (
        ContactPoint.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("user")
        .filter(code_due_at__lte=now, channel__in=channels, retired_at__isnull=True)
        .order_by("code_due_at")
        .first()
    )
    if point is None:
        return None
    is_over = now - point.added_at > ContactPoint.CODE_LIFE and bool(point.code_hash)
    point.code_hash = hash_code(code)
    point.code_expires_at = now + ContactPoint.CODE_LIFE
    point.code_due_at = None if is_over else now + NEXT_TRY
    point.save(update_fields=["code_hash", "code_expires_at", "code_due_at"])
    return point


def _message(point: ContactPoint, code: str, *, now: datetime) -> PushMessage:
    with translation.override(point.user.language):
        return PushMessage(
            notification_id=point.pk,
            target=point.address,
            target_kind=TargetKind(point.channel),
            title=_("Your code"),
            body=code,
            expires_at=now + ContactPoint.CODE_LIFE,
            urgent=True,
        )


def _own(user_id: UUID, point_id: UUID) -> ContactPoint:
    point = (
        ContactPoint.objects.select_for_update()
        .filter(pk=point_id, user_id=user_id, retired_at__isnull=True)
        .first()
    )
    if point is None:
        raise not_found()
    return point


def checked_address(channel: str, address: str) -> str:
    """In its one form. Raises `Invalid`."""
    if channel == AddressChannel.SMS:
        number = re.sub(r"[\s().-]", "", address)
        if not _NUMBER.fullmatch(number):
            raise errors.invalid_field(
                "/address",
                "not_a_number",
                _("Write the number with its country, for example +1 555 010 0199."),
            )
        return number
    try:
        validate_email(email := address.strip().lower())
    except ValidationError:
        raise errors.invalid_field(
            "/address", "invalid_value", _("This is no e-mail address.")
        ) from None
    return email


def _audit(actor: Actor, action: str, point: ContactPoint) -> None:
    """Never the address itself."""
    audit.record(
        actor=actor,
        action=action,
        object_kind="contact_point",
        object_id=point.pk,
        facts={"channel": point.channel, "acute_only": point.acute_only},
    )
