"""Asking a support contact and answering by their link, as a phone and a browser do it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.utils import timezone

from backend.accounts.recipients import Recipient
from backend.aftercare.models import SupportContact
from backend.aftercare.services import tell_contacts
from backend.notifications.push import Channel, Outcome, PushMessage, SendResult
from tests.accounts.consenting import sign
from tests.people import People
from tests.phones import Phone, served_by_web

PUBLIC = "https://care.example.org"
WORDS = "I could use a walk with you"
EVERY = ["asked", "strong_craving", "use_reported", "not_safe", "silence"]


@dataclass
class Recorder:
    """Keeps what it was given; answers with `outcome`."""

    name: str = "sms"
    outcome: Outcome = Outcome.ACCEPTED
    sent: list[PushMessage] = field(default_factory=list)

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        assert not connection.in_atomic_block
        self.sent += messages
        return [SendResult(self.outcome) for _ in messages]


def consent(people: People, maria: SupportContact, *situations: str) -> Any:
    recipient = Recipient("support_contact", "Maria", contact_id=maria.pk)
    return sign(people.patient, recipient=recipient, situations=situations or tuple(EVERY))


def tell(sms: Recorder, *, at: datetime | None = None) -> int:
    return tell_contacts(senders={Channel.SMS: sms}, now=lambda: at or timezone.now())


def invite(phone: Phone, maria: SupportContact, **more: Any) -> Any:
    path = f"/me/support-contacts/{maria.pk}/invitation"
    return phone.post(path, {"channel": "sms", "shown_as": "A.", **more})


def call(phone: Phone, maria: SupportContact) -> Any:
    return phone.post(f"/me/support-contacts/{maria.pk}/call", {"id": str(uuid4())})


def browse(method: str, link: str, **data: str) -> Any:
    with served_by_web():
        return Client().generic(
            method,
            f"/contact/{link}",
            "&".join(f"{name}={value}" for name, value in data.items()),
            content_type="application/x-www-form-urlencoded",
        )


def link_in(message: PushMessage) -> str:
    found = re.search(rf"{PUBLIC}/contact/(\S+)$", message.body)
    assert found is not None
    return found[1]


def agreed(people: People, phone: Phone, maria: SupportContact, sms: Recorder) -> str:
    """Asked, and has said yes; the link by which they did."""
    consent(people, maria)
    assert invite(phone, maria).status_code == 200
    assert tell(sms) == 1
    link = link_in(sms.sent[-1])
    assert browse("POST", link, answer="yes").status_code == 302
    sms.sent.clear()
    return link
