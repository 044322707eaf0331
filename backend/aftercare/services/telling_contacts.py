"""Telling support contacts: what calls for it is found by a sweep, and all is asked again before
each send.

A contact is told only after their own yes, in a situation that the patient chose and that a live
consent names. They are no rung of a ladder, and nothing of this touches an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.aftercare.contacts import language_of, why_not_told
from backend.aftercare.decision_rules import Rule
from backend.aftercare.models import (
    Alert,
    AlertEvidence,
    Condition,
    ContactAnswer,
    ContactMessage,
    ContactOutcome,
    Situation,
    SupportContact,
)
from backend.aftercare.selectors import consented_situations, find_live_invitation
from backend.aftercare.services.inviting import MESSAGE_LIFE, address_of
from backend.errors import DomainError
from backend.notifications.delivery_rules import retry_at
from backend.notifications.lock_screen import lock_screen
from backend.notifications.push import Channel, Outcome, PushMessage, Sender, SendResult, TargetKind
from backend.notifications.quiet_hours import end_of_quiet_hours
from backend.notifications.selectors import delivery_is_paused, stopped_channels
from backend.notifications.services import note_results
from backend.sealing import UnreadableError

logger = structlog.get_logger(__name__)
ACTOR = Actor.system("tell_contacts")
LOOKS_BACK = timedelta(minutes=30)
LEASE = timedelta(seconds=20)
MOST_MESSAGES = 8
"""In one call: each may take as long as its provider lets it."""

MOST_TRIES = 20
BY_RULE: Mapping[str, Situation] = {
    Rule.NOT_SAFE.value: Situation.NOT_SAFE,
    Rule.CRAVING.value: Situation.STRONG_CRAVING,
    Rule.USE_REPORTED.value: Situation.USE_REPORTED,
}
Clock = Callable[[], datetime]


def tell_contacts(*, senders: Mapping[Channel, Sender], now: Clock) -> int:
    """Finds who is to be told, and sends what is due; returns how many messages were tried.

    Any number of copies may run. Raises RuntimeError inside a transaction: a message cannot be
    rolled back.
    """
    if connection.in_atomic_block:
        raise RuntimeError("messages are sent outside any transaction")
    queue_for_contacts(now=now())
    tried = 0
    while tried < MOST_MESSAGES and not delivery_is_paused():
        moment = now()
        stopped = stopped_channels(now=moment)
        open_ways = [str(way) for way, sender in senders.items() if sender.name not in stopped]
        message = _claim(open_ways, now=moment)
        if message is None:
            break
        tried += 1
        _send(message, senders=senders, now=now)
    return tried


# What calls for it --------------------------------------------------------------------------------


def queue_for_contacts(*, now: datetime) -> int:
    """A message for each contact who agreed and each situation of theirs that has come about.

    Late, imported and withdrawn check-ins tell nobody, unless late ones say "not safe". One
    situation is told once a day of the patient's; "not safe" and a silence as often as their alert
    begins anew. Returns how many are new.
    """
    found = [*_from_evidence(now=now), *_from_silence(now=now)]
    agreed = SupportContact.objects.filter(
        opted_in_at__isnull=False,
        removed_at=None,
        patient_id__in={patient_id for patient_id, _situation, _alert in found},
        patient__discharged_at=None,
    )
    contacts: dict[UUID, list[SupportContact]] = {}
    for contact in agreed.select_related("patient") if found else ():
        contacts.setdefault(contact.patient_id, []).append(contact)
    queued = 0
    for patient_id, situation, alert in found:
        for contact in contacts.get(patient_id, ()):
            if situation.value in contact.situations:
                queued += _queue(contact, situation, alert, now=now)
    return queued


Cause = tuple[UUID, Situation, Alert]


def _from_evidence(*, now: datetime) -> list[Cause]:
    rows = AlertEvidence.objects.filter(
        Q(check_in=None) | Q(check_in__is_late=False) | Q(rules__contains=[Rule.NOT_SAFE.value]),
        check_in__withdrawn_at=None,
        alert__is_historical=False,
        alert__evidence_at__gt=now - LOOKS_BACK,
        at__gt=now - LOOKS_BACK,
    ).select_related("alert")
    return [
        (row.alert.patient_id, BY_RULE[rule], row.alert)
        for row in rows
        for rule in row.rules
        if rule in BY_RULE
    ]


def _from_silence(*, now: datetime) -> list[Cause]:
    rows = Alert.objects.filter(
        patient__left_monitoring_at=None,
        condition=Condition.ABSENCE,
        evidence_at__gt=now - LOOKS_BACK,
    )
    return [(row.patient_id, Situation.SILENCE, row) for row in rows]


def _queue(contact: SupportContact, situation: Situation, alert: Alert, *, now: datetime) -> int:
    """At most one by its key. What may not be told is not queued, and looked at again later."""
    if why_not_told(contact, situation, consented=consented_situations(contact, at=now)):
        return 0
    invitation = find_live_invitation(contact.pk)
    if invitation is None:
        return 0
    zone = ZoneInfo(contact.patient.time_zone)
    by_alert = situation in (Situation.NOT_SAFE, Situation.SILENCE)
    once = f"{alert.pk}:{alert.round}" if by_alert else now.astimezone(zone).date().isoformat()
    due_at = now
    if situation is Situation.SILENCE:
        due_at = end_of_quiet_hours(now, zone) or now
    message = ContactMessage(
        key=f"{situation.value}:{contact.pk}:{once}",
        patient_id=contact.patient_id,
        invitation=invitation,
        situation=situation.value,
        queued_at=now,
        due_at=due_at,
        expires_at=due_at + MESSAGE_LIFE,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO aftercare_contactmessage (id, key, patient_id, invitation_id, situation,"
            " queued_at, due_at, expires_at, tries, outcome)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, '') ON CONFLICT (key) DO NOTHING",
            [message.pk, message.key, message.patient_id, invitation.pk, message.situation,
             message.queued_at, message.due_at, message.expires_at],
        )  # fmt: skip
        return int(cursor.rowcount)


# Sending ------------------------------------------------------------------------------------------


@transaction.atomic
def _claim(channels: Collection[str], *, now: datetime) -> ContactMessage | None:
    """One that is due and nobody else holds. Tries are counted here, so that one which kills its
    process ends."""
    message = (
        ContactMessage.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("invitation__contact__patient")
        .filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
        .filter(settled_at=None, due_at__lte=now, invitation__channel__in=channels)
        .order_by("due_at")
        .first()
    )
    if message is None:
        return None
    message.lease_token, message.lease_expires_at = uuid4(), now + LEASE
    message.tries += 1
    message.save(update_fields=["lease_token", "lease_expires_at", "tries"])
    return message


def _send(message: ContactMessage, *, senders: Mapping[Channel, Sender], now: Clock) -> None:
    """Looks at everything again, then sends, outside any transaction."""
    ending = _why_not_now(message, now=now())
    if ending is not None:
        _settle(message, ending, now=now())
        return
    contact = message.invitation.contact
    try:
        target = address_of(contact, message.invitation.channel)
        pushed = _text(message, target)
    except (DomainError, UnreadableError):
        _settle(message, ContactOutcome.DEAD, now=now())
        return
    sender = senders[Channel(message.invitation.channel)]
    try:
        result = sender.send([pushed], now=now())[0]
    except Exception as error:
        # A sender does not raise. Should one do so all the same, it may have sent before that.
        logger.exception("sender_raised", channel=sender.name)
        result = SendResult(Outcome.UNKNOWN, error=type(error).__name__)
    note_results(channel=sender.name, results=[result], now=now())
    _record(message, result, now=now())


def _why_not_now(message: ContactMessage, *, now: datetime) -> ContactOutcome | None:
    """None where it may leave: the yes, the choice, the consent, the link, and the day."""
    invitation = message.invitation
    contact, patient = invitation.contact, invitation.contact.patient
    if message.tries > MOST_TRIES:
        return ContactOutcome.DEAD
    if message.expires_at <= now:
        return ContactOutcome.EXPIRED
    if invitation.ended_at is not None or contact.removed_at is not None or not patient.is_active:
        return ContactOutcome.CANCELLED
    consented = consented_situations(contact, at=now)
    if not message.situation:
        may_be_asked = invitation.answer == "" and consented & set(contact.situations)
        return None if may_be_asked else ContactOutcome.CANCELLED
    is_agreed = invitation.answer == ContactAnswer.YES
    why_not = why_not_told(contact, message.situation, consented=consented)
    has_left = message.situation == Situation.SILENCE and not patient.is_monitored
    return None if is_agreed and not why_not and not has_left else ContactOutcome.CANCELLED


def _text(message: ContactMessage, target: str) -> PushMessage:
    """The same words for every reason, and the link."""
    invitation = message.invitation
    shown = lock_screen(language_of(invitation.contact))
    return PushMessage(
        notification_id=message.pk,
        target=target,
        target_kind=TargetKind(invitation.channel),
        title=shown.title,
        body=f"{shown.body} {settings.PUBLIC_URL}/contact/{invitation.link}",
        expires_at=message.expires_at,
        urgent=message.situation == Situation.NOT_SAFE,
    )


def _record(message: ContactMessage, result: SendResult, *, now: datetime) -> None:
    if result.outcome is Outcome.ACCEPTED:
        _settle(message, ContactOutcome.ACCEPTED, now=now)
        return
    again_at = retry_at(
        result.outcome,
        is_acute=False,
        tries=message.tries - 1,
        retry_after=result.retry_after,
        now=now,
    )
    if again_at is None:
        _settle(message, ContactOutcome.DEAD, now=now)
        return
    _held(message).update(due_at=again_at, lease_token=None, lease_expires_at=None)


def _held(message: ContactMessage) -> QuerySet[ContactMessage]:
    return ContactMessage.objects.filter(
        pk=message.pk, lease_token=message.lease_token, settled_at=None
    )


@transaction.atomic
def _settle(message: ContactMessage, outcome: ContactOutcome, *, now: datetime) -> None:
    """Ends it, if the lease is still ours; the patient reads in their log what was sent."""
    ended = _held(message).update(
        settled_at=now, outcome=outcome.value, lease_token=None, lease_expires_at=None
    )
    if ended and outcome is ContactOutcome.ACCEPTED:
        audit.record(
            actor=ACTOR,
            action="support_contact.tell" if message.situation else "support_contact.ask",
            patient_id=message.patient_id,
            object_kind="support_contact",
            object_id=message.invitation.contact_id,
            facts={"situation": message.situation} if message.situation else {},
        )
    if ended and outcome is ContactOutcome.DEAD:
        logger.error("contact_message_dead", notification_id=str(message.pk))
