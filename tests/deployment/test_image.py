"""The Dockerfile: what gets in, what stays out, and who it runs as."""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatch

from local.programs import SECRETS
from tests.deployment.reading import (
    ROOT,
    dockerfile,
    image_environment,
    instructions,
    service,
    settings_variables,
)


def copied_from_here() -> list[str]:
    return [
        source
        for rest in instructions("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]


def test_there_is_a_stage_to_build_in_and_one_to_run() -> None:
    stages = instructions("FROM")
    assert len(stages) == 2
    assert all(re.match(r"python:3\.11-slim-bookworm( AS \w+)?$", stage) for stage in stages)


def test_it_runs_as_nobody_in_particular() -> None:
    assert instructions("USER") == ["10001:10001"]
    after = dockerfile()[dockerfile().index(("USER", "10001:10001")) :]
    assert not {"RUN", "COPY", "ADD"} & {word for word, _ in after}


def test_it_holds_no_secret_and_no_way_to_give_it_one() -> None:
    assert not instructions("ARG")
    assert not set(image_environment()) & set(SECRETS)
    assert image_environment()["HANDRAIL_ENV"] == "production"
    known = set(settings_variables()) | {
        "PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "DJANGO_SETTINGS_MODULE", "HOME",
    }  # fmt: skip
    assert set(image_environment()) <= known


def test_the_health_checks_are_left_to_compose() -> None:
    assert not instructions("HEALTHCHECK")


def test_packages_come_by_the_lock_with_hashes() -> None:
    (install,) = [run for run in instructions("RUN") if "pip install" in run]
    assert "--require-hashes --no-deps --requirement requirements/run.lock" in install


def test_what_is_copied_exists_and_passes_the_ignore_file() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    allowed = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert sorted(copied_from_here()) == sorted(allowed)
    for source in copied_from_here():
        assert (ROOT / source).exists()
        assert not any(fnmatch(source, rule) for rule in rules[1:] if not rule.startswith("!"))


def test_no_secret_test_or_tool_can_slip_in() -> None:
    tops = {source.split("/")[0] for source in copied_from_here()}
    assert tops == {"manage.py", "pyproject.toml", "requirements", "backend", "worker", "docker"}


def test_without_a_command_it_serves_as_the_web_service_does() -> None:
    (command,) = instructions("CMD")
    plain = [part.replace("=", " ") for part in service("web")["command"]]
    assert json.loads(command) == shlex.split(" ".join(plain))
