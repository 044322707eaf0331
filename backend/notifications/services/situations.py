"""Reading, just before a send, everything a decision about it rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.accounts.access import visible_patients
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Device
from backend.notifications.delivery_rules import DeviceFacts, Facts
from backend.notifications.lock_screen import lock_screen
from backend.notifications.models import Notification, NotificationKind, Priority
from backend.notifications.push import PushMessage, TargetKind
from backend.notifications.selectors import Ledger, leased, ledgers, live_devices_by_user

WAITS_FOR_PHONE = frozenset({NotificationKind.ALERT, NotificationKind.SUPPORT})


@dataclass(frozen=True, slots=True)
class Situation:
    """A notification under our lease, the phones it may go to, and the facts of the decision."""

    row: Notification
    devices: Mapping[UUID, Device]
    facts: Facts

    def device_facts(self, device_id: UUID) -> DeviceFacts:
        return next(one for one in self.facts.devices if one.device_id == device_id)

    def message_for(self, device_id: UUID) -> PushMessage:
        """What this phone is sent: a random id and a text that tells nobody anything."""
        device = self.devices[device_id]
        shown = lock_screen(self.row.recipient.language)
        return PushMessage(
            notification_id=self.row.pk,
            target=device.push_target,
            target_kind=TargetKind(device.target_kind),
            title=shown.title,
            body=shown.body,
            expires_at=self.row.expires_at,
            urgent=self.facts.is_acute,
        )


def situations(token: UUID, ids: Collection[UUID]) -> dict[UUID, Situation]:
    """Of those rows that the lease still holds, as everything stands now."""
    rows = leased(token, ids)
    phones = live_devices_by_user({row.recipient_id for row in rows.values()})
    history = ledgers(rows.keys())
    return {
        key: _situation(row, phones.get(row.recipient_id, ()), history.get(key, {}))
        for key, row in rows.items()
    }


def _situation(
    row: Notification, phones: Sequence[Device], history: Mapping[UUID, Ledger]
) -> Situation:
    is_acute, is_repeat = row.priority == Priority.ACUTE, row.settled_at is not None
    facts = Facts(
        expires_at=row.expires_at,
        is_acute=is_acute,
        is_cancelled=row.cancelled_at is not None,
        may_still_be_told=_may_still_be_told(row, is_acute=is_acute),
        waits_for_phone=row.kind in WAITS_FOR_PHONE,
        quiet_zone=_zone_of_recipient(row) if row.obeys_quiet_hours else None,
        anyone_accepted=any(ledger.was_accepted for ledger in history.values()),
        devices=_repeat_facts(phones, history) if is_repeat else _facts(phones, history),
    )
    return Situation(row=row, devices={phone.pk: phone for phone in phones}, facts=facts)


def _facts(phones: Sequence[Device], history: Mapping[UUID, Ledger]) -> list[DeviceFacts]:
    return [
        _device_facts(phone.pk, ledger, was_accepted=ledger.was_accepted)
        for phone in phones
        for ledger in (history.get(phone.pk, Ledger()),)
    ]


def _repeat_facts(phones: Sequence[Device], history: Mapping[UUID, Ledger]) -> list[DeviceFacts]:
    """A repeat goes to the phones that it was accepted for, and to each of them once."""
    return [
        _device_facts(phone.pk, ledger, was_accepted=ledger.acceptances > 1)
        for phone in phones
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


def _may_still_be_told(row: Notification, *, is_acute: bool) -> bool:
    """Permission is looked at again: accounts close, people leave a team or the programme."""
    if not row.recipient.is_active or not (row.patient.is_active or is_acute):
        return False
    if row.patient.user_id == row.recipient_id:
        return True
    actor = Actor(user_id=row.recipient_id, role=Role(row.recipient.role))
    return visible_patients(actor).filter(pk=row.patient_id).exists()


def _zone_of_recipient(row: Notification) -> ZoneInfo:
    is_patient = row.patient.user_id == row.recipient_id
    name = row.patient.time_zone if is_patient else row.patient.organisation.time_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
