"""Real processes, a local FCM and a broker; whatever a test started has ended after it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from local import launch, servers
from local.fcm import LocalFcm
from local.valkey import Valkey
from tests.worker.processes import Processes


@pytest.fixture
def fcm() -> Iterator[LocalFcm]:
    with LocalFcm() as running:
        yield running


@pytest.fixture
def processes(committed_db: None, fcm: LocalFcm, tmp_path: Path) -> Iterator[Processes]:
    """What it starts commits to this test's database and pushes to its FCM."""
    started = Processes(folder=tmp_path, fcm_endpoint=fcm.url)
    yield started
    started.kill_all()


@pytest.fixture
def broker() -> str:
    """The shared broker, emptied: wake-ups of earlier tests are nobody's business."""
    url = os.environ["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[tuple[Valkey, int]]:
    """A broker for this test alone, and its process id: it may be frozen."""
    valkey = Valkey(
        folder=tmp_path / "valkey", log=tmp_path / "log", durable=False, environment=os.environ
    )
    valkey.prepare()
    process = servers.start(valkey)
    yield valkey, process.pid
    process.kill()
    launch.stop(process, valkey.program())
    valkey.close()
