"""The Celery app: wake-ups in, one service call each. The truth is never in the broker.

`celery -A worker.app worker --without-mingle --without-gossip` consumes every queue; `celery -A
worker.app beat` repeats the sweeps of `worker.schedule`, in UTC, and keeps no file.
"""

from __future__ import annotations

import worker.environment  # noqa: F401 - picks the role and loads Django, so it comes first

# isort: split
from celery import Celery
from celery.signals import celeryd_init, setup_logging
from django.conf import settings
from kombu import Queue

from backend import logs
from backend.queue import QUEUES
from backend.start import exit_when_unsafe
from worker.sending import require_sender

SWEEP_SOFT_LIMIT_S, SWEEP_LIMIT_S = 50, 60

app = Celery(
    "handrail",
    broker=settings.BROKER_URL or None,
    include=[
        "worker.tasks.delivery",
        "worker.tasks.aftercare",
        "worker.tasks.passwords",
        "worker.tasks.privacy",
        "worker.tasks.operations",
        "worker.schedule",
    ],
)
app.conf.update(
    task_queues=[Queue(name) for name in sorted(set(QUEUES.values()))],
    task_default_queue="default",
    task_create_missing_queues=False,
    task_routes={job.value: {"queue": queue} for job, queue in QUEUES.items()},
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    result_backend=None,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_soft_time_limit=SWEEP_SOFT_LIMIT_S,
    task_time_limit=SWEEP_LIMIT_S,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=5000,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_transport_options={
        # A broker that has stopped answering is noticed, and connected to again, within seconds.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "health_check_interval": 5,
        # Unacknowledged wake-ups come back after this; by then the tables have been swept.
        "visibility_timeout": 300,
    },
    beat_scheduler="celery.beat:Scheduler",
    timezone="UTC",
    enable_utc=True,
)


@setup_logging.connect
def keep_our_logs(**_: object) -> None:
    """Somebody listening keeps Celery from putting its own handlers in place."""
    logs.configure()


@celeryd_init.connect
def require_means(**_: object) -> None:
    """Raises SystemExit where Celery would quietly look for a broker of another kind.

    So it does when this worker could send nothing, or is configured unsafely.
    """
    exit_when_unsafe(serves_http=False)
    if not settings.BROKER_URL:
        raise SystemExit("REDIS_URL names no broker: run worker.relay, which needs none.")
    require_sender()
