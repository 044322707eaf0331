"""Each program is given the secrets it needs and no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local.programs import SECRETS, Settings, given, without_secrets

OURS = {name: f"our {name}" for name in SECRETS} | {"SECRET_KEY_FILE": "/ours", "PATH": "/bin"}
SETTINGS = Settings(
    environment=OURS,
    state=Path("/state"),
    web_fd=9,
    secret_key="key",
    owner_url="owner-url",
    web_url="web-url",
    worker_url="worker-url",
    redis_url="redis-url",
    firebase_credentials="credentials",
    fcm_endpoint="endpoint",
    patient_keys="patient-keys",
)


def environments(settings: Settings) -> dict[str, dict[str, str]]:
    return {program.name: dict(program.environment) for program in settings.long_running()}


def test_everything_runs_and_web_comes_last() -> None:
    assert list(environments(SETTINGS)) == ["worker", "relay", "beat", "web"]


@pytest.mark.parametrize("absent", ["", "none"])
def test_without_a_broker_the_relay_alone_works(absent: str) -> None:
    settings = replace(SETTINGS, redis_url=absent)
    assert list(environments(settings)) == ["relay", "web"]
    assert environments(settings)["relay"]["REDIS_URL"] == absent


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("web", {"web-url", "patient-keys"}),
        ("worker", {"worker-url", "credentials", "endpoint", "patient-keys"}),
        ("relay", {"worker-url", "credentials", "endpoint", "patient-keys"}),
        ("beat", set()),
    ],
)
def test_who_holds_which_secret(name: str, held: set[str]) -> None:
    values = set(environments(SETTINGS)[name].values())
    every = {"owner-url", "web-url", "worker-url", "credentials", "endpoint", "patient-keys"}
    assert values & every == held
    assert {"key", "redis-url"} <= values
    assert not any(value.startswith("our ") or value == "/ours" for value in values)


def test_the_stand_in_for_firebase_knows_no_secret() -> None:
    assert SETTINGS.fcm(9000).environment == {"PATH": "/bin"}


def test_only_management_commands_know_the_owner() -> None:
    program = SETTINGS.manage("migrate", "--no-input")
    assert program.environment["DATABASE_OWNER_URL"] == "owner-url"
    assert program.environment["PATIENT_KEYS"] == "patient-keys"
    assert program.command[1:] == ("manage.py", "migrate", "--no-input")
    assert "FIREBASE_CREDENTIALS" not in program.environment


def test_no_secret_is_in_a_process_list() -> None:
    for program in SETTINGS.long_running():
        assert not {"key", "web-url", "worker-url", "credentials", "patient-keys"} & set(
            program.command
        )


def test_a_secret_may_come_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    environment = {"SECRET_KEY_FILE": str(tmp_path / "secret")}
    assert given(environment, "SECRET_KEY") == "from a file"
    assert given({**environment, "SECRET_KEY": "direct"}, "SECRET_KEY") == "direct"
    assert given(environment, "REDIS_URL") is None
    assert given({"REDIS_URL": ""}, "REDIS_URL") == ""
    assert without_secrets({**environment, "LANG": "C"}) == {"LANG": "C"}
