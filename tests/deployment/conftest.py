"""The image as a folder, and the services of docker-compose.yml as processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from local.launch import free_port
from tests.deployment.reading import (
    MOUNTED,
    ROOT,
    environment,
    image_environment,
    instructions,
    interpolated,
    service,
)
from tests.deployment.test_image import copied_from_here

PROGRAMS = Path(sys.executable).parent
KEY = "Hk3jL9pQ2xV7nB5mR8tW1yC4zF6dG0sA-uE_iOqXoZrTvYwKlMhJcP"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Dockerfile puts in /app, made by its own commands."""
    folder = tmp_path_factory.mktemp("image") / "app"
    skip = shutil.ignore_patterns("__pycache__", "*.mo", ".*")
    for source in copied_from_here():
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=skip)
        else:
            shutil.copy(ROOT / source, target)
    for run in instructions("RUN"):
        for command in re.findall(r"python manage\.py [^&]+", run):
            subprocess.run(
                [sys.executable, *command.split()[1:]],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "backend.settings"},
                check=True,
                timeout=120,
            )
    return folder


@dataclass
class Services:
    """Runs each service's very command with exactly what compose tells it."""

    image: Path
    folder: Path
    secrets: dict[str, str]
    port: int = field(default_factory=free_port)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self.command(service(name)["command"]),
                cwd=self.image,
                env=self.environment(name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def is_healthy(self, name: str) -> bool:
        """By the service's own health check."""
        how, *command = service(name)["healthcheck"]["test"]
        assert how == "CMD"
        extra = [str(self.port)] if name == "web" else []
        checked = subprocess.run(
            [*self.command(command), *extra],
            cwd=self.image,
            env=self.environment(name),
            capture_output=True,
            check=False,
            timeout=30,
        )
        return checked.returncode == 0

    def command(self, words: list[str]) -> list[str]:
        program = sys.executable if words[0] == "python" else str(PROGRAMS / words[0])
        return [program, *(w.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for w in words[1:])]

    def environment(self, name: str) -> dict[str, str]:
        told = {
            variable: interpolated(str(value), {"ALLOWED_HOSTS": "care.example.org"})
            for variable, value in environment(name).items()
        }
        mounted = service(name).get("secrets", [])
        for variable, value in told.items():
            if value.startswith(MOUNTED):
                secret = value.removeprefix(MOUNTED)
                assert secret in mounted
                told[variable] = str(self._file(secret))
        own = {k: v for k, v in image_environment().items() if k not in ("PATH", "HOME")}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **own, **told}

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def kill_all(self) -> None:
        for process in self._running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait(10)

    def _file(self, name: str) -> Path:
        path = self.folder / f"secret-{name}"
        # Editors end files with a new line; a secret must survive that.
        path.write_text(self.secrets[name] + "\n")
        return path


@pytest.fixture
def services(image: Path, committed_db: None, tmp_path: Path) -> Iterator[Services]:
    url = os.environ["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    secrets = {
        "secret_key": KEY,
        "patient_keys": os.environ["PATIENT_KEYS"],
        "database_url": os.environ["DATABASE_URL"],
        "database_worker_url": os.environ["DATABASE_WORKER_URL"],
        "database_owner_url": os.environ["DATABASE_OWNER_URL"],
        "redis_url": url,
        "firebase": '{"type": "service_account"}',
        "email_password": "never-to-be-logged",
        "metrics_token": "never-to-be-logged-either",
        "healthcheck_ping_url": "",
        "twilio_token": "",
        "vapid_private_key": "",
    }
    running = Services(image=image, folder=tmp_path, secrets=secrets)
    yield running
    running.kill_all()
