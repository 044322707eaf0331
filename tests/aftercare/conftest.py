"""Support contacts who are asked and told: one of them, and a sender that keeps what it sends."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backend.aftercare.models import SupportContact
from backend.aftercare.services import store_item
from backend.notifications.services import announce_channels
from tests.accounts.consenting import own
from tests.aftercare.asking import EVERY, PUBLIC, WORDS, Recorder
from tests.people import People


@pytest.fixture
def public_address(settings: Any) -> None:
    settings.PUBLIC_URL = PUBLIC


@pytest.fixture
def sms() -> Recorder:
    announce_channels(channels=["sms", "email"], now=timezone.now())
    return Recorder()


@pytest.fixture
def maria(people: People) -> SupportContact:
    """Chosen for everything, with a number; nothing is signed yet."""
    values = {
        "name": "Maria",
        "relation": "sponsor",
        "phone": "+1 555 010 0133",
        "email": "maria@example.org",
        "languages": ["en"],
        "situations": EVERY,
        "words": WORDS,
        "order": 0,
    }
    return store_item(
        actor=own(people.patient), kind=SupportContact, item_id=uuid4(), values=values,
        now=timezone.now(),
    ).row  # fmt: skip
