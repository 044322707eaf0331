"""Spans where somebody collects them: searched for everything that a person wrote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_django.fixtures import Settings

from backend import tracing
from backend.notifications.push import Outcome, TargetKind
from backend.queue import Job
from local.programs import ROOT
from tests.channels.answering import Answering, answering
from tests.channels.conftest import message
from tests.notifications.outbox import RecordingSender, always
from tests.people import People
from tests.phones import Phone, check_in_body
from worker.channels.traced import TracedSender
from worker.reporting import report


@pytest.fixture
def collector(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
    with answering() as server:
        server.body = b""
        settings.OTLP_ENDPOINT = server.url
        settings.MIDDLEWARE = [
            settings.MIDDLEWARE[0], "backend.tracing.TracingMiddleware", *settings.MIDDLEWARE[1:]
        ]  # fmt: skip
        tracing.tracer.cache_clear()
        yield server
        tracing.tracer().span_processor.shutdown()
        tracing.tracer.cache_clear()


def spans(collector: Answering) -> dict[str, dict[str, Any]]:
    """What has arrived, by name, with its attributes."""
    assert tracing.tracer().span_processor.force_flush(10_000)
    assert {asked.path for asked in collector.asked} == {"/v1/traces"}
    found: dict[str, dict[str, Any]] = {}
    for asked in collector.asked:
        sent: Any = ExportTraceServiceRequest()
        sent.ParseFromString(asked.body)
        for resource in sent.resource_spans:
            for one in (span for scope in resource.scope_spans for span in scope.spans):
                found[one.name] = {
                    said.key: getattr(said.value, said.value.WhichOneof("value"))
                    for said in one.attributes
                }
                assert not one.events
    return found


def test_a_request_is_told_by_its_route_and_by_nothing_of_the_person(
    collector: Answering, people: People
) -> None:
    phone, canary = Phone.of(people.patient_user), f"canary{uuid4().hex[:12]}"
    body = check_in_body(note=canary, cues=[canary])
    assert phone.post(f"/check-ins?country={canary}", body).status_code == 201
    bad = {**check_in_body(mood=canary), "id": str(uuid4())}
    assert phone.post("/check-ins", bad).status_code == 400
    assert phone.get(f"/me/notifications/{uuid4()}?x={canary}").status_code == 404
    assert phone.get(f"/{canary}").status_code == 404
    found = spans(collector)
    assert set(found) == {
        "POST /api/v1/check-ins",
        "GET /api/v1/me/notifications/<uuid:notification_id>",
        "GET unknown",
    }
    assert found["GET unknown"]["http.response.status_code"] == 404
    everything = b"".join(asked.body for asked in collector.asked)
    for secret in (
        canary, body["id"], str(people.patient.pk), phone.token, people.patient_user.email,
        "INSERT", "accounts_",
    ):  # fmt: skip
        assert secret.encode() not in everything, secret


def test_a_job_and_a_send_are_told_by_ids_and_counts(collector: Answering, db: None) -> None:
    target, now = f"canary{uuid4().hex}", datetime.now(UTC)
    one = message(target, kind=TargetKind.TOKEN)
    sender = TracedSender(RecordingSender(name="firebase", answer=always(Outcome.REJECTED)))
    with report(Job.DELIVER_DUE) as done:
        assert [result.outcome for result in sender.send([one], now=now)] == [Outcome.REJECTED]
        done.count = 1
    found = spans(collector)
    assert found["handrail.deliver_due"] == {"handrail.count": 1}
    told = found["send firebase"]
    assert (told["handrail.channel"], told["handrail.outcome.rejected"]) == ("firebase", 1)
    everything = b"".join(asked.body for asked in collector.asked)
    assert str(one.notification_id).encode() in everything
    for secret in (target, one.title, one.body):
        assert secret.encode() not in everything


def test_an_error_is_told_by_its_class_alone(collector: Answering) -> None:
    with pytest.raises(ValueError, match="canary"), tracing.span("job"):
        raise ValueError("canary of a person")
    assert spans(collector)["job"] == {"error.type": "ValueError"}
    assert b"canary" not in b"".join(asked.body for asked in collector.asked)


def test_without_a_collector_nothing_of_it_is_even_imported() -> None:
    script = (
        "import sys, worker.environment, backend.tracing, worker.reporting\n"
        "with backend.tracing.span('x') as one: assert one is None\n"
        "from django.conf import settings\n"
        "assert 'backend.tracing.TracingMiddleware' not in settings.MIDDLEWARE\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]\n"
        "assert 'backend.otlp' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
