"""A care team's browser inside this process, and the diaries it reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.test import Client
from django.utils import timezone

from backend.accounts.actor import Actor
from backend.accounts.models import Patient, User
from backend.aftercare.models import Alert, AlertStatus
from backend.dashboard.sessions import ACTIVE_AT, BACKEND, SIGNED_IN_AT
from backend.intake.services import receive_imported
from backend.tracking.reports import CheckInReport
from tests.people import PASSWORD, next_code
from tests.phones import Phone, check_in_body

SYSTEM = Actor.system("tests")


def sign_in(browser: Client, email: str, password: str = PASSWORD, **extra: str) -> Any:
    """Both steps; the answer to the first where that is a refusal."""
    first = browser.post("/desk/sign-in", {"email": email, "password": password, **extra})
    if first.status_code != 302:
        return first
    user = User.objects.get(email=email.lower())
    return browser.post(first["Location"], {"code": next_code(user)})


def browser_of(user: User) -> Client:
    """Signed in without the password, whose hash takes its time; `sign_in` is the real way."""
    browser = Client()
    browser.force_login(user, backend=BACKEND)
    session = browser.session
    session[SIGNED_IN_AT] = session[ACTIVE_AT] = timezone.now().timestamp()
    session.save()
    return browser


class Answer(Protocol):
    """What every kind of response has."""

    @property
    def content(self) -> bytes: ...


def shown(response: Answer) -> str:
    return response.content.decode()


def today_of(patient: Patient) -> date:
    """The date where the patient is, which is not the server's in the small hours."""
    return timezone.now().astimezone(ZoneInfo(patient.time_zone)).date()


def import_days(patient: Patient, *, days: int, last: date, **items: Any) -> None:
    """A calm diary of so many days up to `last`; `items` override the usual answers."""
    reports = []
    for back in range(days):
        on = last - timedelta(days=back)
        usual = {"mood": 7 - back % 2, "craving": 2 + back % 2, "sleep_hours": Decimal("7.5")}
        reports.append(
            CheckInReport(
                id=uuid4(),
                kind="daily",
                local_date=on,
                recorded_at=datetime.combine(on, time(20), tzinfo=UTC),
                **{**usual, **items},
            )
        )
    receive_imported(actor=SYSTEM, patient_id=patient.pk, reports=reports, now=timezone.now())


def raise_alert(patient: Patient, **items: Any) -> Alert:
    """Through the phone, as a person would; a strong craving unless told otherwise."""
    assert patient.user is not None
    said = {"craving": 9, "local_date": today_of(patient).isoformat(), **items}
    answer = Phone.of(patient.user).post("/check-ins", check_in_body(**said))
    assert answer.status_code == 201, answer.content
    alerts = Alert.objects.filter(patient=patient).exclude(status=AlertStatus.RESOLVED)
    return alerts.latest("evidence_at")
