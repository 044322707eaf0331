"""Runs all of Handrail on this machine: ``python -m local.run``, or ``make run``.

Reads HANDRAIL_STATE (folder, default ``.state``), HANDRAIL_PORT (default 8000), and servers of
yours if you name them: DATABASE_URL with DATABASE_OWNER_URL and DATABASE_WORKER_URL, REDIS_URL
(empty or ``none``: no broker), FIREBASE_CREDENTIALS.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import launch, servers
from local.launch import LaunchError
from local.postgres import OWNER, WEB, WORKER, Postgres
from local.programs import ROOT, SENDERS_OWN, Settings, given
from local.state import Lock, LockedError, secret, write_private
from local.supervisor import StopRequestedError, Supervisor
from local.valkey import Valkey

_FIRST_PORT = 8000
_PORTS_TRIED = 50
_UP_WITHIN = timedelta(seconds=90)


def say(text: str) -> None:
    """Tell the person at the keyboard."""
    print(text, flush=True)


class Run:
    """One supervised run of everything on one state folder, which is locked meanwhile."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._began = time.monotonic()
        self.state = Path(environment.get("HANDRAIL_STATE") or ROOT / ".state").resolve()
        servers.make_folder(self.state, launch.server_user())
        self._lock = Lock(self.state / "lock")
        self._run_file.unlink(missing_ok=True)  # of a run that was killed
        logs = self.state / "logs"
        logs.mkdir(exist_ok=True)
        logs.chmod(0o700)
        self._facts: dict[str, Any] = {}
        self._pids: Mapping[str, int] = {}
        self._running: list[servers.Server] = []
        self._supervisor = Supervisor(say=say, changed=self._on_change)

    def __call__(self) -> None:
        """Start everything and tend it until somebody asks us to end."""
        self._supervisor.listen()
        try:
            self._start()
            self._supervisor.watch()
        except StopRequestedError:
            say("Stopping ...")
        finally:
            self._supervisor.stop_all()
            for server in self._running:
                server.close()
            self._run_file.unlink(missing_ok=True)
        say(f"Stopped. Data are kept in {self.state}.")

    def _start(self) -> None:
        settings = self._settings()
        self._prepare(settings)
        settings = self._start_fcm(settings)
        say("Starting web, worker and relay ..." if settings.has_broker else "Starting ...")
        for program in settings.long_running():
            self._supervisor.add(program)
        address = self._address()
        self._supervisor.wait_until(
            lambda: is_healthy(address), within=_UP_WITHIN, what=f"an answer of {address}/healthz"
        )
        self._facts["web"] = address
        self._write_run_file()
        self._tell_summary()

    def _settings(self) -> Settings:
        owner, web, worker = self._database_urls()
        return Settings(
            environment={"PUBLIC_URL": self._address(), **self._environment},
            state=self.state,
            web_fd=self._web_socket.fileno(),
            secret_key=given(self._environment, "SECRET_KEY") or secret(self.state / "secret-key"),
            patient_keys=self._patient_keys(),
            owner_url=owner,
            web_url=web,
            worker_url=worker,
            redis_url=self._redis_url(),
            firebase_credentials=given(self._environment, "FIREBASE_CREDENTIALS") or "",
            email_password=given(self._environment, "EMAIL_HOST_PASSWORD") or "",
            senders_own={name: given(self._environment, name) or "" for name in SENDERS_OWN},
            metrics_token=given(self._environment, "METRICS_TOKEN") or "",
        )

    def _address(self) -> str:
        return f"http://127.0.0.1:{self._web_socket.getsockname()[1]}"

    def _patient_keys(self) -> str:
        """Those given, or one that is made on first use: without it, no note can be read again."""
        named = given(self._environment, "PATIENT_KEYS")
        return named or f"local:{secret(self.state / 'patient-key')}"

    def _database_urls(self) -> tuple[str, str, str]:
        """The addresses for owner, web and worker: those given, or of a PostgreSQL we start."""
        web = given(self._environment, "DATABASE_URL")
        if web:
            owner = given(self._environment, "DATABASE_OWNER_URL") or web
            worker = given(self._environment, "DATABASE_WORKER_URL") or web
            if web in (owner, worker):
                say("DATABASE_URL also stands in for a role you named no address for.")
            return owner, web, worker
        folder, log = self.state / "postgres", self.state / "logs" / "postgres.log"
        postgres = Postgres(folder=folder, log=log, durable=True, environment=self._environment)
        self._start_server("PostgreSQL", postgres)
        postgres.make_roles()
        postgres.make_database()
        address = postgres.address
        return address.url(OWNER), address.url(WEB), address.url(WORKER)

    def _redis_url(self) -> str:
        """The broker's address: the one given, or of a Valkey we start."""
        url = given(self._environment, "REDIS_URL")
        if url is not None:
            return url
        folder, log = self.state / "valkey", self.state / "logs" / "valkey.log"
        valkey = Valkey(folder=folder, log=log, durable=True, environment=self._environment)
        self._start_server("Valkey", valkey)
        return valkey.url()

    def _start_server(self, name: str, server: servers.Server) -> None:
        say(f"Starting {name} ...")
        server.prepare()
        self._running.append(server)
        process = servers.start(server, self._supervisor.pause)
        self._supervisor.add(server.program(), process)

    def _prepare(self, settings: Settings) -> None:
        say("Preparing messages, tables and demo people ...")
        write_private(self.state / "manage.json", json.dumps(settings.for_manage(), indent=2))
        self._supervisor.run_once(settings.manage("compile_messages"))
        self._supervisor.run_once(settings.manage("migrate", "--no-input"))
        demo = self.state / "demo.json"
        printed = self._supervisor.run_once(settings.manage("seed_demo", "--state", str(demo)))
        self._facts["sign_ins"] = json.loads(printed)["sign_ins"]
        self._supervisor.run_once(settings.manage("seed_cohort"))

    def _start_fcm(self, settings: Settings) -> Settings:
        """Where no Firebase project is given, pushes go to a stand-in on this machine."""
        if settings.firebase_credentials:
            return settings
        port = launch.free_port()
        self._facts["fcm"] = f"http://127.0.0.1:{port}"
        self._supervisor.add(settings.fcm(port))
        return settings.with_local_fcm(self._facts["fcm"])

    @cached_property
    def _web_socket(self) -> socket.socket:
        named = self._environment.get("HANDRAIL_PORT") or str(_FIRST_PORT)
        if not named.isdecimal():
            raise LaunchError(f"HANDRAIL_PORT is {named!r}, which is no port.")
        wanted = int(named)
        listening = listen_from(wanted)
        port = listening.getsockname()[1]
        if port != wanted:
            say(f"Port {wanted} is busy; using {port}.")
        return listening

    @property
    def _run_file(self) -> Path:
        return run_file(self.state)

    def _on_change(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        if "web" in self._facts:
            self._write_run_file()

    def _write_run_file(self) -> None:
        facts = {**self._facts, "pids": {"supervisor": os.getpid(), **self._pids}}
        write_private(self._run_file, json.dumps(facts, indent=2) + "\n")

    def _tell_summary(self) -> None:
        took = time.monotonic() - self._began
        say(f"\nHandrail is up after {took:.1f} s: {self._facts['web']}")
        if "fcm" in self._facts:
            say(f"  the phone (a stand-in for Firebase)  {self._facts['fcm']}")
        for role, sign_in in self._facts["sign_ins"].items():
            key = sign_in.get("totp_secret", "")
            say(f"  sign in as {role:10} {sign_in['email']}  {sign_in['password']}  {key}".rstrip())
        say("  staff give a code, too: the keys go into an authenticator app, or local.code tells:")
        say(f"    HANDRAIL_STATE={self.state} {sys.executable} -m local.code")
        say(f"  logs  {self.state / 'logs'}\n  stop  Ctrl-C")


def run_file(state: Path) -> Path:
    """The file in a state folder that tells programs where the running Handrail is."""
    return state / "run.json"


def listen_from(wanted: int) -> socket.socket:
    """Listens on the wanted port or the first free one after it; raises LaunchError for none."""
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65536)):
        listening = launch.listen(port)
        if listening is not None:
            return listening
    raise LaunchError(f"No port is free from {wanted} on.")


def is_healthy(address: str) -> bool:
    """Whether a web server answers ``GET /healthz`` with 200 now."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tell_running(lock: str) -> None:
    state = Path(lock).parent
    try:
        address = json.loads(run_file(state).read_text())["web"]
    except (OSError, ValueError, KeyError):
        say(f"Handrail is starting or stopping already on {state}.")
    else:
        say(f"Handrail runs already on {state}: {address}")


def main() -> int:
    """Run until stopped; the exit code is 0 after an orderly stop, 1 when it could not start."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=formatter).parse_args()
    try:
        Run(os.environ)()
    except LockedError as error:
        _tell_running(str(error))
        return 1
    except LaunchError as error:
        say(f"{error}\nHandrail stopped.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
