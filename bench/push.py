"""Push to many phones: our channel against firebase-admin's `send_each`, used the ordinary way.

Both send the same messages to the local stand-in, which runs in a process of its own and is not
counted: what is compared is the CPU of the side that sends. Both sign as a deployment does: with a
service account, whose access token google-auth fetches once, keeps, and would renew. That all
messages arrive is asserted first.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.notifications.push import Outcome, PushMessage, TargetKind
from bench.measure import ProcessTree, in_turns, middle, ratio
from bench.options import parse_size
from local.programs import ROOT
from worker.channels.fcm_message import build_message
from worker.channels.push import LOCAL_PROJECT, FirebaseSender

MESSAGES, FULL_MESSAGES = 200, 1_000
BATCH = 100
FLOOR = 1
# No process has this id, so that nothing is counted beside the sender itself.
NOT_COUNTED = ProcessTree(-1)


def messages_to(count: int, *, now: datetime) -> list[PushMessage]:
    """One message to each of so many phones."""
    return [
        PushMessage(
            notification_id=uuid4(),
            target=f"phone-{number}",
            target_kind=TargetKind.TOKEN,
            title="You have a new message",
            body="Open the app to read it.",
            expires_at=now + timedelta(hours=2),
            urgent=False,
        )
        for number in range(count)
    ]


class Stock:
    """`send_each` a hundred at a time, as its page shows it, with the SDK's own session."""

    def __init__(self, key_file: Path) -> None:
        import firebase_admin
        from firebase_admin import credentials, messaging
        from requests.adapters import HTTPAdapter

        admin: Any = firebase_admin
        certificate: Any = credentials.Certificate
        self._messaging: Any = messaging
        self._app = admin.initialize_app(certificate(str(key_file)), {}, "bench-stock")
        session = self._messaging._get_messaging_service(self._app)._client.session
        # As many connections as the SDK keeps to Google.
        session.mount("http://", HTTPAdapter(pool_connections=100, pool_maxsize=100))

    def send(self, messages: list[PushMessage], *, now: datetime) -> int:
        """How many were accepted."""
        accepted = 0
        for start in range(0, len(messages), BATCH):
            built = [
                build_message(self._messaging, message, now=now)
                for message in messages[start : start + BATCH]
            ]
            accepted += self._messaging.send_each(built, app=self._app).success_count
        return accepted


def ours(sender: FirebaseSender, messages: list[PushMessage], *, now: datetime) -> int:
    """How many were accepted."""
    results = sender.send(messages, now=now)
    return sum(result.outcome is Outcome.ACCEPTED for result in results)


@contextlib.contextmanager
def pointed_at(endpoint: str) -> Iterator[None]:
    """The SDK speaks to this endpoint instead of Google, whoever uses it."""
    from firebase_admin import messaging

    service: Any = messaging._MessagingService
    before = service.FCM_URL
    service.FCM_URL = f"{endpoint}/v1/projects/{{0}}/messages:send"
    os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        yield
    finally:
        service.FCM_URL = before


class _Tokens(BaseHTTPRequestHandler):
    """Google's token endpoint: an access token for an hour, whoever asks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = b'{"access_token": "a-token-of-the-usual-length", "expires_in": 3600}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def service_account() -> Iterator[Path]:
    """The file of a service account whose tokens come from this machine."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadingHTTPServer(("127.0.0.1", 0), _Tokens) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = Path(folder) / "service-account.json"
        account = {
            "type": "service_account",
            "project_id": LOCAL_PROJECT,
            "client_email": "push@handrail.example",
            "private_key": text,
            "token_uri": f"http://127.0.0.1:{server.server_port}/token",
        }
        path.write_text(json.dumps(account))
        yield path
        server.shutdown()


@contextlib.contextmanager
def endpoint() -> Iterator[str]:
    """The local stand-in in a process of its own. Raises RuntimeError when it does not start."""
    command = [sys.executable, "-m", "local.fcm", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().partition("FCM_ENDPOINT=")[2].strip(")\n")
            if not url:
                raise RuntimeError("the local endpoint did not start")
            yield url
        finally:
            process.terminate()


def run(*, count: int, rounds: int) -> dict[str, Any]:
    """Asserts that both deliver everything, measures in turns; returns the figures."""
    now = datetime.now(UTC)
    messages = messages_to(count, now=now)
    with endpoint() as url, pointed_at(url), service_account() as key_file:
        stock = Stock(key_file)
        sender = FirebaseSender(credentials_file=str(key_file), timeout_seconds=30)
        ways: dict[str, Callable[[], int]] = {
            "stock": lambda: stock.send(messages, now=now),
            "ours": lambda: ours(sender, messages, now=now),
        }
        for name, way in ways.items():
            if (accepted := way()) != count:
                raise SystemExit(f"{name}: {accepted} of {count} messages were accepted.")
        began = time.monotonic()
        times = dict.fromkeys(ways, 1)
        costs = in_turns(ways, NOT_COUNTED, rounds=rounds, times=times)
        sender.close()
    return {
        **ratio(costs["stock"], costs["ours"]),
        "floor": FLOOR,
        "messages": count,
        "seconds": round(time.monotonic() - began, 1),
        "cpu_ms_a_message": {
            name: round(middle(some).cpu_ms / count, 3) for name, some in costs.items()
        },
        "rounds": {name: [cost.as_json() for cost in some] for name, some in costs.items()},
    }


def main() -> None:
    asked = parse_size(__doc__)
    figures = run(count=FULL_MESSAGES if asked.full else MESSAGES, rounds=asked.rounds)
    print(f"  CPU ms a message: {figures['cpu_ms_a_message']}")
    asked.out.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
