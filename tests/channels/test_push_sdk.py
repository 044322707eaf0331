"""The SDK itself: loaded once, kept to this machine, and where we reach into it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import firebase_admin as untyped_firebase_admin
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.notifications.push import Outcome, TargetKind
from local.fcm import LocalFcm
from tests.channels.conftest import NOW, message
from worker.channels import push
from worker.channels.push import FirebaseSender, firebase_sender

firebase_admin: Any = untyped_firebase_admin


def test_two_threads_at_first_use_share_one_app(fcm: LocalFcm) -> None:
    sender = FirebaseSender(endpoint=fcm.url, timeout_seconds=10)
    gate = threading.Barrier(2)
    results: list[Outcome] = []

    def send() -> None:
        gate.wait()
        results.append(sender.send([message()], now=NOW)[0].outcome)

    before = apps()
    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [Outcome.ACCEPTED] * 2
    assert len(apps() - before) == 1
    sender.close()
    assert apps() == before


def apps() -> set[str]:
    return set(firebase_admin._apps)


def test_senders_and_others_in_one_process_do_not_meet(fcm: LocalFcm) -> None:
    others = firebase_admin.initialize_app(push._static_token(), {"projectId": "others"})
    with LocalFcm() as second_fcm:
        senders = [FirebaseSender(endpoint=url) for url in (fcm.url, second_fcm.url)]
        for number, sender in enumerate(senders):
            [result] = sender.send([message(f"phone-{number}")], now=NOW)
            assert result.outcome is Outcome.ACCEPTED
        assert [item["target"] for item in fcm.messages] == ["phone-0"]
        assert [item["target"] for item in second_fcm.messages] == ["phone-1"]
        for sender in senders:
            sender.close()
    firebase_admin.delete_app(others)


def test_a_closed_sender_opens_again(fcm: LocalFcm) -> None:
    sender = FirebaseSender(endpoint=fcm.url)
    for _ in range(2):
        assert sender.send([message()], now=NOW)[0].outcome is Outcome.ACCEPTED
        sender.close()
    sender.close()


FORK = """
import os, sys
from datetime import timedelta
from tests.channels.conftest import NOW, message
from worker.channels.push import FirebaseSender
sender = FirebaseSender(endpoint=sys.argv[1])
assert sender.send([message("parent")], now=NOW)[0].outcome == "accepted"
parents = sender._own()
child = os.fork()
if child == 0:
    fresh = sender._own() is None
    accepted = sender.send([message("child")], now=NOW)[0].outcome == "accepted"
    os._exit(0 if fresh and accepted and sender._own() is not parents else 1)
assert os.waitpid(child, 0)[1] == 0
assert sender._own() is parents
"""


def test_after_a_fork_the_child_has_connections_of_its_own(fcm: LocalFcm) -> None:
    subprocess.run([sys.executable, "-c", FORK, fcm.url], check=True, timeout=60)
    assert [item["target"] for item in fcm.messages] == ["parent", "child"]


def test_a_token_target_warns_of_nothing(fcm: LocalFcm, sender: FirebaseSender) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        sender.send([message(kind=TargetKind.TOKEN)], now=NOW)
    assert [str(warning.message) for warning in seen] == []
    assert fcm.messages[0]["target_kind"] == "token"


def test_only_this_machine_is_spoken_to(fcm: LocalFcm, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def watched_connect(self: socket.socket, address: Any) -> None:
        reached.append(address[0])
        connect(self, address)

    def watched_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        reached.append(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", watched_connect)
    monkeypatch.setattr(socket, "getaddrinfo", watched_look_up)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    sender = FirebaseSender(endpoint=fcm.url)
    fcm.behaviour.set("unauthenticated", target="refused")
    sender.send([message("refused"), message("fine")], now=NOW)
    sender.close()
    assert len(fcm.messages) == 1
    assert set(reached) == {"127.0.0.1"}


def test_the_sdk_keeps_its_address_where_we_change_it() -> None:
    """Fails when an update of firebase-admin moves what `_session_of` reaches for."""
    from firebase_admin import messaging

    app = firebase_admin.initialize_app(push._static_token(), {"projectId": "p"}, "guard")
    try:
        service = messaging._get_messaging_service(app)
        assert service._fcm_url == "https://fcm.googleapis.com/v1/projects/p/messages:send"
        whole, token = service._client.session, app.credential.get_credential()
        session = push._session_of(messaging, app, token, "http://127.0.0.1:9", timeout=1)
        assert session is service._client.session is not whole
        assert service._fcm_url == "http://127.0.0.1:9/v1/projects/p/messages:send"
        for url in ("https://fcm.googleapis.com/x", "https://other.example/", service._fcm_url):
            retries = whole.get_adapter(url).max_retries
            assert (retries.total, retries.connect, retries.status) == (0, None, None)
    finally:
        firebase_admin.delete_app(app)


def test_a_moved_address_is_our_fault_and_nothing_leaves(
    fcm: LocalFcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firebase_admin import messaging

    moved = "https://moved.invalid/v1/projects/{0}/messages:send"
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", moved)
    [result] = FirebaseSender(endpoint=fcm.url).send([message()], now=NOW)
    assert (result.outcome, result.error) == (Outcome.OUR_FAULT, "RuntimeError")
    assert fcm.messages == []


@pytest.mark.parametrize(
    ("credentials", "endpoint"),
    [
        ("", ""),
        ("key.json", "http://127.0.0.1:9"),
        ("", "http://fcm.example:9"),
        ("", "http://192.0.2.7"),
        ("", "ftp://127.0.0.1"),
        ("", "127.0.0.1:9099"),
        ("", "http://127.0.0.1.example"),
    ],
)
def test_what_the_factory_refuses(credentials: str, endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"give either|on this machine"):
        firebase_sender(credentials=credentials, endpoint=endpoint)


def test_the_factory_names_its_channel() -> None:
    sender = firebase_sender(credentials="", endpoint="http://localhost:9")
    assert sender.name == "firebase"


class _TokenServer(BaseHTTPRequestHandler):
    status = 400
    reply = b'{"error": "invalid_grant"}'

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.reply)))
        self.end_headers()
        self.wfile.write(self.reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def token_address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _TokenServer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


def key_file(folder: Path, token_address: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    path = folder / "key.json"
    account = {
        "type": "service_account",
        "project_id": "a-project",
        "client_email": "push@a-project.example",
        "private_key": text,
        "token_uri": token_address,
    }
    path.write_text(json.dumps(account))
    return str(path)


def test_a_revoked_key_is_our_fault_for_every_message(tmp_path: Path, token_address: str) -> None:
    sender = FirebaseSender(credentials_file=key_file(tmp_path, token_address))
    results = sender.send([message("one"), message("two")], now=NOW)
    sender.close()
    assert [(r.outcome, r.error) for r in results] == [(Outcome.OUR_FAULT, "RefreshError")] * 2


def test_a_token_server_out_of_reach_is_no_fault_of_ours(tmp_path: Path) -> None:
    sender = FirebaseSender(
        credentials_file=key_file(tmp_path, "http://127.0.0.1:9/token"), timeout_seconds=1
    )
    [result] = sender.send([message()], now=NOW)
    sender.close()
    assert result.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("content", [None, "", "{}", '{"type": "service_account"}', "[]"])
def test_an_unusable_key_file_is_our_fault(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    [result] = FirebaseSender(credentials_file=str(path)).send([message()], now=NOW)
    assert result.outcome is Outcome.OUR_FAULT
    assert str(path) not in result.error


def test_a_key_file_repaired_later_is_read_again(tmp_path: Path, token_address: str) -> None:
    path = tmp_path / "key.json"
    sender = FirebaseSender(credentials_file=str(path))
    [missing] = sender.send([message()], now=NOW)
    key_file(tmp_path, token_address)
    [revoked] = sender.send([message()], now=NOW)
    sender.close()
    assert (missing.error, revoked.error) == ("FileNotFoundError", "RefreshError")
