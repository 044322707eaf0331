"""The web process knows names; this holds them against the worker that answers to them."""

from __future__ import annotations

import inspect
import json

import pytest
from kombu.serialization import dumps, loads

from backend.notifications.services.leases import LEASE
from backend.queue import QUEUES, Job, producer
from worker.app import app
from worker.schedule import SWEEPS

app.loader.import_default_modules()
OURS = {name for name in app.tasks if not name.startswith("celery.")}


def test_every_job_is_a_registered_task_and_every_task_is_a_job() -> None:
    assert {job.value for job in Job} == OURS


@pytest.mark.parametrize("job", list(Job))
def test_a_wake_up_carries_no_arguments_and_the_task_takes_none(job: Job) -> None:
    assert list(inspect.signature(app.tasks[job.value].run).parameters) == []


@pytest.mark.parametrize("job", list(Job))
def test_the_task_is_named_like_the_service_it_calls(job: Job) -> None:
    assert app.tasks[job.value].run.__name__ == job.value.removeprefix("handrail.")


def test_the_workers_command_consumes_every_queue_and_no_other() -> None:
    assert set(QUEUES) == set(Job)
    assert set(app.amqp.queues) == set(QUEUES.values())


@pytest.mark.parametrize("job", list(Job))
def test_both_sides_agree_on_the_queue(job: Job) -> None:
    routed = app.amqp.router.route({}, job.value)
    assert routed["queue"].name == QUEUES[job]


def test_messages_survive_json_and_nothing_else_is_read() -> None:
    assert (app.conf.task_serializer, producer().conf.task_serializer) == ("json", "json")
    assert app.conf.accept_content == ["json"]
    body = producer().amqp.as_task_v2("id", Job.DELIVER_DUE.value, args=(), kwargs={}).body
    content_type, encoding, sent = dumps(body, serializer="json")
    assert json.loads(sent)[:2] == [[], {}]
    assert loads(sent, content_type, encoding, accept=[content_type])[:2] == [[], {}]


def test_the_worker_is_set_up_so_that_nothing_is_lost_or_kept() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf["result_backend"] is None
    assert app.conf.task_ignore_result
    assert app.conf["broker_connection_max_retries"] is None
    assert app.conf.broker_connection_retry_on_startup
    assert app.conf["timezone"] == "UTC"
    assert app.conf.worker_max_tasks_per_child


def test_beat_and_relay_repeat_the_same_sweeps() -> None:
    assert {sweep.job for sweep in SWEEPS} == set(Job) - {Job.NOTE_BEAT}
    scheduled = {
        entry["task"]: (entry["schedule"], entry["options"]["queue"])
        for entry in app.conf.beat_schedule.values()
    }
    # That beat's wake-ups arrive is nothing that the relay could see.
    assert scheduled.pop(Job.NOTE_BEAT.value) == (10.0, QUEUES[Job.NOTE_BEAT])
    assert scheduled == {
        sweep.job.value: (sweep.every.total_seconds(), QUEUES[sweep.job]) for sweep in SWEEPS
    }
    assert app.conf.beat_scheduler == "celery.beat:Scheduler"  # in memory: no file to go stale


def test_a_delivery_is_ended_before_its_lease_is() -> None:
    task = app.tasks[Job.DELIVER_DUE.value]
    soft, hard = task.soft_time_limit, task.time_limit
    assert soft is not None
    assert hard is not None
    assert soft < hard < LEASE.total_seconds()
