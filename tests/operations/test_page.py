"""The operator's page: what needs somebody first, and nothing of any person."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from backend.accounts.actor import Actor, Role
from backend.accounts.models import AuditEvent, User
from backend.errors import Forbidden
from backend.notifications.models import ChannelState, Notification
from backend.notifications.services import announce_channels, beat, pause_delivery
from backend.operations.services import read_operations, reconcile
from tests.dashboard.browsing import browser_of, shown, sign_in
from tests.notifications.outbox import draft, queue
from tests.people import People, actor_for

SYSTEM = Actor.system("tests")


def page_of(user: User) -> str:
    response = browser_of(user).get("/operator/")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return unescape(shown(response))


def live() -> None:
    """Everything that runs all day is running."""
    now = timezone.now()
    for process in ("relay", "worker", "beat"):
        beat(process=process, now=now)
    announce_channels(channels=["firebase", "email"], now=now)
    reconcile(now=now, ping=lambda: None)


def test_an_operator_signs_in_and_is_led_there(operator: User) -> None:
    browser = Client()
    answer = sign_in(browser, operator.email)
    followed = browser.get(answer["Location"], follow=True)
    assert followed.redirect_chain[-1][0] == "/operator/"
    assert "Operation" in shown(followed)
    assert browser.post("/desk/sign-out").status_code == 302
    assert browser.get("/operator/").status_code == 302


def test_nobody_else_sees_it(people: People, operator: User) -> None:
    for user in (people.therapist.user, people.supervisor.user, people.patient_user):
        assert browser_of(user).get("/operator/")["Location"].startswith("/desk/sign-in")
    assert Client().get("/operator/refresh")["Location"].startswith("/desk/sign-in")
    with pytest.raises(Forbidden):
        read_operations(actor=actor_for(people.administrator.user), now=timezone.now())
    denied = AuditEvent.objects.using("audit").filter(action="operations.read")
    assert list(denied.values_list("was_allowed", flat=True)) == [False]


def test_a_rested_session_ends(operator: User) -> None:
    browser = browser_of(operator)
    session = browser.session
    session["active_at"] = session["active_at"] - 16 * 60
    session.save()
    assert "rested=1" in browser.get("/operator/")["Location"]
    assert browser.get("/operator/")["Location"] == "/desk/sign-in?next=%2Foperator%2F"


def test_looking_by_itself_is_no_sign_of_anybody(operator: User) -> None:
    browser = browser_of(operator)
    session = browser.session
    session["active_at"] = before = session["active_at"] - 14 * 60
    session.save()
    assert browser.get("/operator/refresh").status_code == 200
    assert browser.session["active_at"] == before


def test_all_is_well(operator: User) -> None:
    live()
    words = page_of(operator)
    assert "Messages are leaving, and nothing needs you now." in words
    assert "trouble-critical" not in words
    assert "trouble-high" not in words


def test_nothing_configured_is_said(operator: User) -> None:
    words = page_of(operator)
    assert "No channel is configured" in words
    assert "Neither a relay nor a worker is alive" in words
    assert "The reconciler has not looked" in words


def test_what_is_wrong_is_said_first(operator: User, people: People) -> None:
    live()
    now = timezone.now()
    pause_delivery(actor=SYSTEM, reason="restored", now=now)
    ChannelState.objects.filter(channel="firebase").update(
        stopped_until=now + timedelta(minutes=1), last_error="RefreshError"
    )
    (row,) = queue(draft(people.patient, people.patient_user))
    Notification.objects.filter(pk=row.pk).update(settled_at=now, outcome="dead")
    words = page_of(operator)
    assert "2 things need you now." not in words
    assert "3 things need you now." in words
    assert "Delivery is paused" in words
    assert "Push by Firebase is stopped" in words
    assert "1 message ended as dead" in words
    assert str(row.pk) in words


def test_a_service_of_browsers_that_refuses_us_is_named_and_the_others_go_on(
    operator: User,
) -> None:
    live()
    now = timezone.now()
    services = {
        name: {
            "failing_since": now.isoformat(),
            "stopped_until": (now + timedelta(minutes=minutes)).isoformat(),
        }
        for name, minutes in (("push.one.example", 5), ("push.two.example", -5))
    }
    ChannelState.objects.create(channel="web_push", services=services, announced_at=now)
    words = page_of(operator)
    assert "1 thing needs you now." in words
    assert "Push to browsers: some services refuse us" in words
    assert "push.one.example" in words
    assert "push.two.example" not in words


def test_nothing_of_any_person_is_on_it(operator: User, people: People) -> None:
    live()
    rows = queue(draft(people.patient, people.patient_user))
    Notification.objects.filter(pk=rows[0].pk).update(settled_at=timezone.now(), outcome="dead")
    words = page_of(operator)
    patient, user = people.patient, people.patient_user
    for private in (patient.given_name, str(patient.pk), user.email, str(user.pk), "Riverside"):
        assert private not in words


def test_in_spanish(operator: User) -> None:
    operator.language = "es"
    operator.save()
    live()
    words = page_of(operator)
    assert "Los mensajes están saliendo" in words
    for english in ("Processes", "Outbox", "Last seal", "not configured", "nothing needs you"):
        assert english not in words


def test_an_operators_role_is_what_the_service_asks_for(operator: User) -> None:
    assert read_operations(actor=actor_for(operator), now=timezone.now()).lanes
    assert Role(operator.role) is Role.OPERATOR
