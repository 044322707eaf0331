from __future__ import annotations

import pytest
from django.test import Client

from tests.dashboard.browsing import browser_of
from tests.people import People


@pytest.fixture
def desk(people: People) -> Client:
    """The patient's own therapist, signed in."""
    return browser_of(people.therapist.user)
