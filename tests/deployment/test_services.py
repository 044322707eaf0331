"""Each service's very command, run with exactly what compose gives it, on real servers."""

from __future__ import annotations

import http.client

import pytest

from tests.deployment.conftest import Services
from tests.worker.processes import wait_for


def get(services: Services, path: str, host: str = "care.example.org") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", services.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_web_serves_what_the_image_was_built_with_and_stops(services: Services) -> None:
    assert not services.is_healthy("web")
    web = services.start("web")
    assert wait_for(lambda: services.is_healthy("web"), seconds=40), services.log("web")
    assert get(services, "/readyz") == 200
    assert get(services, "/api/openapi.json") == 200
    assert get(services, "/api/v1/patients") == 401
    assert get(services, "/healthz", host="elsewhere.example.org") == 400
    css = next((services.image / "static_built" / "desk").glob("desk.*.css"))
    assert get(services, f"/static/desk/{css.name}") == 200
    assert get(services, "/desk/sign-in") == 200
    assert services.stop(web) == 0
    assert not services.is_healthy("web")
    for secret in filter(None, services.secrets.values()):
        assert secret not in services.log("web")


def test_the_relay_beats_without_any_broker_and_stops(services: Services) -> None:
    services.secrets["redis_url"] = "none"
    assert not services.is_healthy("relay")
    relay = services.start("relay")
    assert wait_for(lambda: services.is_healthy("relay"), seconds=40), services.log("relay")
    assert services.stop(relay) == 0


def test_beat_wakes_the_worker_and_both_stop(services: Services) -> None:
    assert not services.is_healthy("worker")
    worker, beat = services.start("worker"), services.start("beat")
    assert wait_for(lambda: services.is_healthy("worker"), seconds=60), services.log("worker")
    assert services.is_healthy("beat")
    assert services.stop(beat) == 0, services.log("beat")
    assert services.stop(worker) == 0, services.log("worker")


def test_beat_is_unwell_without_the_broker(services: Services) -> None:
    services.secrets["redis_url"] = "redis://127.0.0.1:9/0"
    assert not services.is_healthy("beat")


def test_migrate_ends_well_and_again(services: Services) -> None:
    assert services.start("migrate").wait(60) == 0, services.log("migrate")


@pytest.mark.parametrize("name", ["web", "relay"])
def test_nothing_starts_with_a_key_that_everybody_knows(services: Services, name: str) -> None:
    services.secrets["secret_key"] = "changeme" * 8
    assert services.start(name).wait(60) != 0
    assert "handrail.E004" in services.log(name)


def test_catalogues_are_in_the_image(services: Services) -> None:
    sources = list(services.image.glob("backend/locale/*/LC_MESSAGES/*.po"))
    assert sources
    assert all(source.with_suffix(".mo").exists() for source in sources)
