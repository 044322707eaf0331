"""Prometheus reads counts; who does not know the token is told that there is nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from backend.notifications.models import ChannelState, DeliveryAttempt, Notification
from backend.notifications.services import announce_channels, beat
from backend.operations import metrics
from backend.operations.selectors import read_status
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import People, make_device

TOKEN = "a-token-of-the-scraper"


def scrape(**headers: str) -> dict[tuple[str, ...], float]:
    answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status_code == 200
    assert answer["Content-Type"] == metrics.CONTENT_TYPE
    return {
        (sample.name.removeprefix("handrail_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.fixture
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_the_outbox_and_its_age_by_lane(people: People, token: None) -> None:
    now = timezone.now()
    queue(draft(people.patient, people.patient_user, now=now - timedelta(seconds=90), **ACUTE))
    queue(draft(people.patient, people.patient_user, now=now + timedelta(hours=1)))
    found = scrape()
    assert found["outbox_pending", "acute"] == found["outbox_pending", "normal"] == 1
    assert (found["outbox_due", "acute"], found["outbox_due", "normal"]) == (1, 0)
    assert 90 <= found["outbox_oldest_due_seconds", "acute"] < 300
    assert found["outbox_oldest_due_seconds", "normal"] == 0


def test_tries_channels_and_processes(people: People, token: None) -> None:
    now = timezone.now()
    (row,) = queue(draft(people.patient, people.patient_user, now=now))
    for minutes, outcome in ((1, "accepted"), (2, "unknown"), (90, "accepted")):
        at = now - timedelta(minutes=minutes)
        DeliveryAttempt.objects.create(
            notification=row,
            device=make_device(people.patient_user),
            attempt=1,
            channel="firebase",
            outcome=outcome,
            started_at=at,
            ended_at=at,
        )
    Notification.objects.filter(pk=row.pk).update(settled_at=now, outcome="dead")
    announce_channels(channels=["firebase"], now=now)
    until = {
        "failing_since": now.isoformat(),
        "stopped_until": (now + timedelta(hours=1)).isoformat(),
    }
    ChannelState.objects.create(channel="web_push", services={"push.example": until})
    beat(process="relay", now=now)
    found = scrape()
    assert found["attempts_last_hour", "firebase", "accepted"] == 1
    assert found["attempts_last_hour", "firebase", "unknown"] == 1
    assert found[("dead_letters_last_week",)] == 1
    assert found["channel_configured", "firebase"] == 1
    assert found["channel_configured", "sms"] == 0
    assert found["channel_services_stopped", "web_push"] == 1
    assert found["channel_services_stopped", "firebase"] == 0
    assert (found["process_alive", "relay"], found["process_alive", "worker"]) == (1, 0)
    assert found["invariant_broken", "urgent_pending"] == 0
    assert found[("reconciler_late",)] == 1


def test_nothing_of_anybody_is_in_it(people: People, token: None) -> None:
    (row,) = queue(draft(people.patient, people.patient_user, now=timezone.now()))
    text = metrics.render(read_status(now=timezone.now())).decode()
    ids = {str(row.pk), str(people.patient.pk), str(people.patient_user.pk)}
    assert not [one for one in ids if one in text]
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)


def test_a_scrape_costs_a_dozen_queries_however_much_there_is(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    queue(*(draft(people.patient, people.patient_user) for _ in range(30)))
    with django_assert_max_num_queries(13):
        read_status(now=timezone.now())


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_there_is_no_such_page(db: None, token: None, given: str) -> None:
    answer = Client().get("/metrics", headers={"authorization": given})
    assert answer.status_code == 404
    assert b"handrail_" not in answer.content


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", ""])
def test_where_no_token_is_set_nobody_reads_it(db: None, settings: Settings, given: str) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"authorization": given}).status_code == 404
