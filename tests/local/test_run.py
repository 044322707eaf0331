"""`python -m local.run` with real servers around a project of a few lines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.programs import SECRETS
from local.pytest_servers import create_empty_database, database_name
from local.run import is_healthy
from tests.local.processes import ROOT, is_alive, wait_for

MANAGE = """
import json, os, pathlib, sys
import psycopg
if sys.argv[1] == "migrate":
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS runs (at timestamptz)")
        connection.execute("INSERT INTO runs VALUES (now())")
        connection.execute("GRANT SELECT ON runs TO handrail_web")
if sys.argv[1] == "seed_demo":
    state = pathlib.Path(sys.argv[sys.argv.index("--state") + 1])
    state.write_text("kept")
    print(json.dumps({"sign_ins": {"patient": {"email": "p@example.org", "password": "pw"}}}))
"""
WEB = """
import os
import psycopg
def application(environ, start_response):
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(runs).encode()]
"""
WORKER = """
import os
from celery import Celery
app = Celery("small", broker=os.environ["REDIS_URL"])
app.conf.broker_connection_retry_on_startup = True
"""
IDLE = "import time\nwhile True: time.sleep(1)\n"


@pytest.fixture
def project(open_folder: Path) -> Path:
    """The launcher as it is, around the smallest programs of the same names."""
    shutil.copytree(ROOT / "local", open_folder / "local", ignore=shutil.ignore_patterns("fcm"))
    files = {
        "manage.py": MANAGE,
        "backend/__init__.py": "",
        "worker/__init__.py": "",
        "local/fcm/__init__.py": "",
        "backend/settings.py": "SECRET_KEY = 'unused'",
        "backend/wsgi.py": WEB,
        "worker/app.py": WORKER,
        "worker/relay.py": IDLE,
        "local/fcm/__main__.py": IDLE,
    }
    for name, text in files.items():
        (open_folder / name).parent.mkdir(exist_ok=True)
        (open_folder / name).write_text(text)
    return open_folder


class Running:
    """One run of the launcher in a project."""

    def __init__(self, project: Path, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if name not in SECRETS}
        self.state, self.output = project / ".state", project / f"output-{time.monotonic_ns()}"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.run"],
                cwd=project,
                env={**clean, "PYTHONPATH": str(project), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.state / "run.json").read_text())
        return facts

    def wait_up(self) -> Running:
        assert wait_for(lambda: "is up after" in self.said or self.ended, seconds=60)
        assert not self.ended, self.said
        return self

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def port() -> str:
    """A port far from where a person may have Handrail running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def running(project: Path, port: str) -> Iterator[Running]:
    started = Running(project, HANDRAIL_PORT=port)
    yield started
    if not started.ended:
        started.stop()


def web_answer(address: str) -> str:
    curl = ["import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"]
    done = subprocess.run(
        [sys.executable, "-c", *curl, address], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_start_a_refused_second_one_a_crash_a_stop_and_a_second_start(
    running: Running, project: Path, port: str
) -> None:
    running.wait_up()
    facts = running.facts
    assert facts["web"] == f"http://127.0.0.1:{port}"
    assert facts["fcm"].startswith("http://127.0.0.1:")
    assert facts["sign_ins"]["patient"]["password"] == "pw"
    names = {"supervisor", "postgres", "valkey", "fcm", "worker", "relay", "beat", "web"}
    assert set(facts["pids"]) == names
    assert all(is_alive(pid) for pid in facts["pids"].values())
    assert (running.state / "run.json").stat().st_mode & 0o777 == 0o600
    assert (running.state / "secret-key").stat().st_mode & 0o777 == 0o600
    for shown in (facts["web"], "p@example.org", "pw", str(running.state / "logs")):
        assert shown in running.said

    began = time.monotonic()
    second = Running(project, HANDRAIL_PORT=port)
    assert second.process.wait(10) == 1
    assert time.monotonic() - began < 5
    assert second.said.endswith(f"{facts['web']}\n")
    assert is_healthy(facts["web"])

    os.kill(facts["pids"]["postgres"], signal.SIGKILL)
    killed = facts["pids"]["postgres"]
    assert wait_for(lambda: running.facts["pids"].get("postgres", killed) != killed)
    assert wait_for(lambda: is_healthy(facts["web"]), seconds=20)

    assert running.stop(signal.SIGINT) == 0
    assert not any(is_alive(pid) for pid in facts["pids"].values())
    assert not (running.state / "run.json").exists()

    again = Running(project, HANDRAIL_PORT=port).wait_up()
    try:
        assert web_answer(again.facts["web"]) == "2"
    finally:
        assert again.stop() == 0


def test_kill_9_leaves_nobody_and_the_next_start_keeps_the_data(
    running: Running, project: Path, port: str
) -> None:
    pids = running.wait_up().facts["pids"]
    running.stop(signal.SIGKILL)
    assert wait_for(lambda: not any(is_alive(pid) for pid in pids.values()), seconds=10)
    again = Running(project, HANDRAIL_PORT=port).wait_up()
    try:
        assert web_answer(again.facts["web"]) == "2"
        assert not set(pids.values()) & set(again.facts["pids"].values())
    finally:
        assert again.stop() == 0


def test_no_broker_and_a_busy_port(project: Path, port: str) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", int(port)))
        busy.listen()
        running = Running(project, HANDRAIL_PORT=port, REDIS_URL="none").wait_up()
        try:
            facts = running.facts
        finally:
            assert running.stop() == 0
    assert set(facts["pids"]) == {"supervisor", "postgres", "fcm", "relay", "web"}
    assert facts["web"] != f"http://127.0.0.1:{port}"
    assert f"Port {port} is busy" in running.said


def test_servers_of_yours_are_used_and_none_started(project: Path, port: str) -> None:
    urls = create_empty_database(f"{database_name()}_run")
    given = {
        "DATABASE_URL": urls.web,
        "DATABASE_OWNER_URL": urls.owner,
        "DATABASE_WORKER_URL": urls.worker,
        "REDIS_URL": os.environ["REDIS_URL"],
        "FIREBASE_CREDENTIALS": "/a/file",
    }
    running = Running(project, HANDRAIL_PORT=port, **given).wait_up()
    try:
        assert set(running.facts["pids"]) == {"supervisor", "worker", "relay", "beat", "web"}
        assert "fcm" not in running.facts
    finally:
        assert running.stop() == 0
    with psycopg.connect(urls.web) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_web_server_that_cannot_start_is_shown_and_everything_stopped(
    project: Path, port: str
) -> None:
    (project / "backend" / "wsgi.py").write_text("raise RuntimeError('a plain mistake')")
    running = Running(project, HANDRAIL_PORT=port, REDIS_URL="none")
    assert running.process.wait(60) == 1
    assert "web does not start" in running.said
    assert "a plain mistake" in running.said
    assert not (running.state / "run.json").exists()


def test_a_failing_migration_is_shown(project: Path, port: str) -> None:
    (project / "manage.py").write_text("raise SystemExit('no such column')")
    running = Running(project, HANDRAIL_PORT=port, REDIS_URL="none")
    assert running.process.wait(60) == 1
    assert "compile_messages failed" in running.said
    assert "no such column" in running.said


def test_a_port_that_is_none_is_said(project: Path) -> None:
    running = Running(project, HANDRAIL_PORT="eighty", REDIS_URL="none")
    assert running.process.wait(60) == 1
    assert "HANDRAIL_PORT is 'eighty'" in running.said


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--port=9", 2)])
def test_a_question_and_what_is_not_understood_start_nothing(
    project: Path, argument: str, code: int
) -> None:
    command = [sys.executable, "-m", "local.run", argument]
    where = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run(
        command, cwd=project, env=where, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code
    assert "HANDRAIL_PORT" in done.stdout or "--port=9" in done.stderr
    assert not (project / ".state").exists()
