"""The whole system as `make run` starts it, spoken to over HTTP like any phone would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from local.code import fresh_code

ROOT = Path(__file__).resolve().parents[2]
SERVER_VARIABLES = ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL", "REDIS_URL")
OWN_VARIABLES = ("HANDRAIL_ENV", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "HANDRAIL_DATABASE_ROLE")


@dataclass
class Running:
    """A started system: its addresses, sign-ins and process ids, read anew from `run.json`."""

    state: Path
    process: subprocess.Popen[bytes]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.state / "run.json").read_text())
        return facts

    def kill(self, *names: str) -> None:
        pids = self.facts["pids"]
        for name in names:
            os.kill(pids[name], signal.SIGKILL)

    def call(self, method: str, path: str, *, who: str = "", body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(who)}"} if who else {}
        url = f"{self.facts['web']}/api/v1{path}"
        return httpx.request(method, url, json=body, headers=headers, timeout=10)

    def token(self, who: str) -> str:
        if who not in self.tokens:
            sign_in = dict(self.facts["sign_ins"][who])
            key = sign_in.pop("totp_secret", "")
            answer = self.call("POST", "/sign-in", body=sign_in)
            if key:
                second = {"mfa_token": answer.json()["mfa_token"], "code": fresh_code(key)}
                answer = self.call("POST", "/sign-in/mfa", body=second)
            assert answer.status_code == 200, answer.text
            self.tokens[who] = answer.json()["token"]
        return self.tokens[who]

    def register_phone(self, who: str) -> str:
        target = f"phone-{uuid4().hex}"
        answer = self.call("PUT", f"/devices/{uuid4()}", who=who, body={"push_target": target})
        answer.raise_for_status()
        return target

    def messages(self, target: str) -> list[dict[str, Any]]:
        found = httpx.get(f"{self.facts['fcm']}/messages", timeout=10).json()
        return [message for message in found if message["target"] == target]

    def misbehave(self, **behaviour: Any) -> None:
        httpx.put(f"{self.facts['fcm']}/behaviour", json=behaviour, timeout=10).raise_for_status()

    def behave(self) -> None:
        httpx.delete(f"{self.facts['fcm']}/behaviour", timeout=10)


def check_in(**items: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": str(uuid4()),
        "kind": "daily",
        "local_date": now.date().isoformat(),
        "recorded_at": now.isoformat(),
        **items,
    }


def within(seconds: float, condition: Callable[[], Any]) -> bool:
    """Whether the condition came true in time; it is asked every 50 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


@contextmanager
def running(state: Path, **environment: str) -> Iterator[Running]:
    """Starts the system on its own state folder and stops it as an operator would."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in (*SERVER_VARIABLES, *OWN_VARIABLES)
    }
    log = state.parent / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.run"],
            cwd=ROOT,
            env={**kept, "HANDRAIL_STATE": str(state), "HANDRAIL_PORT": "8600", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        if not within(90, lambda: (state / "run.json").exists() or process.poll() is not None):
            raise TimeoutError("The system was not up in time.")
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        yield Running(state=state, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
