"""Reading, just before a send, everything a decision about it rests on."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.accounts.actor import Role
from backend.accounts.models import Device
from backend.accounts.push_services import service_of
from backend.notifications.delivery_rules import DeviceFacts, Facts
from backend.notifications.lock_screen import lock_screen
from backend.notifications.models import ContactPoint, Notification, NotificationKind, Priority
from backend.notifications.push import Channel, PushMessage, TargetKind
from backend.notifications.quiet_hours import QuietHours
from backend.notifications.selectors import (
    Ledger,
    contact_points_by_user,
    leased,
    ledgers,
    live_devices_by_user,
)
from backend.notifications.services.permission import may_still_be_told

WAITS_FOR_PHONE = frozenset({NotificationKind.ALERT, NotificationKind.SUPPORT})


@dataclass(frozen=True, slots=True)
class Situation:
    """A notification under our lease, where it may go to, and the facts of the decision."""

    row: Notification
    devices: Mapping[UUID, Device | ContactPoint]
    facts: Facts

    def device_facts(self, device_id: UUID) -> DeviceFacts:
        return next(one for one in self.facts.devices if one.device_id == device_id)

    def message_for(self, device_id: UUID) -> PushMessage:
        """What goes there: a random id and a text that tells nobody anything."""
        target, kind = _target_of(self.devices[device_id])
        shown = lock_screen(self.row.recipient.language)
        return PushMessage(
            notification_id=self.row.pk,
            target=target,
            target_kind=TargetKind(kind),
            title=shown.title,
            body=shown.body,
            expires_at=self.row.expires_at,
            urgent=self.facts.is_acute,
        )


def _target_of(place: Device | ContactPoint) -> tuple[str, str]:
    if isinstance(place, ContactPoint):
        return place.address, place.channel
    if place.target_kind == TargetKind.BROWSER:
        subscription = {"endpoint": place.push_target, "keys": json.loads(place.push_keys)}
        return json.dumps(subscription), place.target_kind
    return place.push_target, place.target_kind


def channel_of(place: Device | ContactPoint) -> Channel:
    """The way a message reaches it."""
    if isinstance(place, ContactPoint):
        return Channel(place.channel)
    return Channel.WEB_PUSH if place.target_kind == TargetKind.BROWSER else Channel.PUSH


def _goes_through(place: Device | ContactPoint) -> set[str]:
    """What a message to it would go through: its channel, and a browser's push service."""
    way = channel_of(place)
    if isinstance(place, ContactPoint) or way is not Channel.WEB_PUSH:
        return {way}
    return {way, service_of(place.push_target)}


def _way_of(place: Device | ContactPoint) -> str:
    return place.channel if isinstance(place, ContactPoint) else Channel.PUSH.value


def situations(
    token: UUID,
    ids: Collection[UUID],
    *,
    channels: Collection[Channel],
    stopped: Collection[str],
    now: datetime,
) -> dict[UUID, Situation]:
    """Of those rows that the lease still holds, as everything stands now.

    `channels` are those that there is a sender for; what needs another is as if it were not there.
    `stopped` are channels and push services of browsers that nothing is sent through now.
    """
    rows = leased(token, ids)
    recipients = {row.recipient_id for row in rows.values()}
    phones = live_devices_by_user(recipients)
    addresses = contact_points_by_user(
        recipients if {Channel.EMAIL, Channel.SMS} & set(channels) else ()
    )
    history = ledgers(rows.keys())
    found = {}
    for key, row in rows.items():
        places = [*phones.get(row.recipient_id, ()), *_for_row(row, addresses)]
        usable = [
            place
            for place in places
            if channel_of(place) in channels and (not row.ways or _way_of(place) in row.ways)
        ]
        found[key] = _situation(row, usable, history.get(key, {}), stopped=stopped, now=now)
    return found


def _for_row(
    row: Notification, addresses: Mapping[UUID, Sequence[ContactPoint]]
) -> list[ContactPoint]:
    """A clinician's addresses; a patient has none, and none is used for a patient by a slip."""
    if row.recipient.role != Role.CLINICIAN:
        return []
    is_acute = row.priority == Priority.ACUTE
    return [one for one in addresses.get(row.recipient_id, ()) if is_acute or not one.acute_only]


def _situation(
    row: Notification,
    places: Sequence[Device | ContactPoint],
    history: Mapping[UUID, Ledger],
    *,
    stopped: Collection[str],
    now: datetime,
) -> Situation:
    is_acute, is_repeat = row.priority == Priority.ACUTE, row.settled_at is not None
    made = _repeat_facts(places, history) if is_repeat else _facts(places, history)
    by_id = {place.pk: place for place in places}
    devices = [
        replace(
            one,
            rank=_rank(by_id[one.device_id], is_acute=is_acute),
            is_stopped=not _goes_through(by_id[one.device_id]).isdisjoint(stopped),
        )
        for one in made
    ]
    tried = [ledger.tried_since for ledger in history.values() if ledger.tried_since]
    facts = Facts(
        expires_at=row.expires_at,
        is_acute=is_acute,
        is_cancelled=row.cancelled_at is not None,
        may_still_be_told=may_still_be_told(row, is_acute=is_acute, now=now),
        waits_for_phone=row.kind in WAITS_FOR_PHONE,
        quiet_zone=_zone_of_recipient(row) if row.obeys_quiet_hours else None,
        anyone_accepted=any(ledger.was_accepted for ledger in history.values()),
        devices=devices,
        tried_since=min(tried, default=None),
        quiet_hours=_hours_of_recipient(row),
    )
    return Situation(row=row, devices=by_id, facts=facts)


def _rank(place: Device | ContactPoint, *, is_acute: bool) -> int:
    """Phones first; then what wakes somebody for the urgent, and what does not for the rest."""
    if isinstance(place, Device):
        return 0
    order = (Channel.SMS, Channel.EMAIL) if is_acute else (Channel.EMAIL, Channel.SMS)
    return 1 + order.index(Channel(place.channel))


def _facts(
    places: Sequence[Device | ContactPoint], history: Mapping[UUID, Ledger]
) -> list[DeviceFacts]:
    return [
        _device_facts(place.pk, ledger, was_accepted=ledger.was_accepted)
        for place in places
        for ledger in (history.get(place.pk, Ledger()),)
    ]


def _repeat_facts(
    places: Sequence[Device | ContactPoint], history: Mapping[UUID, Ledger]
) -> list[DeviceFacts]:
    """A repeat goes to the phones that it was accepted for, and to each of them once.

    Nothing else: an address cannot confirm what it has received.
    """
    return [
        _device_facts(phone.pk, ledger, was_accepted=ledger.acceptances > 1)
        for phone in places
        if isinstance(phone, Device)
        if (ledger := history.get(phone.pk, Ledger())).was_accepted
    ]


def _device_facts(device_id: UUID, ledger: Ledger, *, was_accepted: bool) -> DeviceFacts:
    return DeviceFacts(
        device_id=device_id,
        was_accepted=was_accepted,
        was_rejected=ledger.was_rejected,
        tries=ledger.tries,
        retry_at=ledger.retry_at,
    )


def _hours_of_recipient(row: Notification) -> QuietHours:
    """A patient's own; a clinician has those of everybody."""
    return QuietHours.of(row.patient.quiet_hours if _is_to_the_patient(row) else None)


def _is_to_the_patient(row: Notification) -> bool:
    return row.patient.user_id == row.recipient_id


def _zone_of_recipient(row: Notification) -> ZoneInfo:
    patient = row.patient
    name = patient.time_zone if _is_to_the_patient(row) else patient.organisation.time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
