"""The lean session: what the SDK sends goes out as it is, and what comes is what requests says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.notifications.push import Outcome
from local.fcm import LocalFcm
from tests.channels.conftest import NOW, message
from worker.channels import fcm_session, push
from worker.channels.fcm_session import is_direct
from worker.channels.push import FirebaseSender

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"name": "n"}'

Answering = Callable[[socket.socket], None]


def received(connection: socket.socket) -> bytes:
    """One post whole, its head and its body; nothing when the other side has closed."""
    request = b""
    while not request.endswith(b"}}"):
        if not (more := connection.recv(65536)):
            return b""
        request += more
    return request


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], str]]:
    """Runs a function on each connection, one after the other; gives out the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(answer: Answering) -> str:
        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join()


def test_a_connection_closed_meanwhile_is_not_used_again(
    serve: Callable[[Answering], str],
) -> None:
    connections = []

    def answer(connection: socket.socket) -> None:
        connections.append(received(connection))
        connection.sendall(OK)  # and closes, without having said so

    sender = FirebaseSender(endpoint=serve(answer))
    outcomes = [sender.send([message()], now=NOW)[0].outcome for _ in range(3)]
    sender.close()
    assert outcomes == [Outcome.ACCEPTED] * 3
    assert len(connections) == 3


def test_an_answer_that_breaks_off_is_unknown_and_the_next_message_is_sent(
    serve: Callable[[Answering], str],
) -> None:
    answers = [OK[:-1], OK]

    def answer(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(answers.pop(0))

    sender = FirebaseSender(endpoint=serve(answer))
    outcomes = [sender.send([message()], now=NOW)[0].outcome for _ in range(2)]
    sender.close()
    assert outcomes == [Outcome.UNKNOWN, Outcome.ACCEPTED]


def test_an_address_that_has_moved_is_not_followed(serve: Callable[[Answering], str]) -> None:
    seen = []

    def answer(connection: socket.socket) -> None:
        seen.append(received(connection))
        moved = b"HTTP/1.1 307 Moved\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(moved)

    sender = FirebaseSender(endpoint=serve(answer))
    [result] = sender.send([message()], now=NOW)
    sender.close()
    assert (result.outcome, len(seen)) == (Outcome.UNKNOWN, 1)


def test_one_connection_serves_many_messages(serve: Callable[[Answering], str]) -> None:
    connections = []

    def answer(connection: socket.socket) -> None:
        connections.append(1)
        while received(connection):
            connection.sendall(OK)

    sender = FirebaseSender(endpoint=serve(answer))
    for _ in range(5):
        assert sender.send([message()], now=NOW)[0].outcome is Outcome.ACCEPTED
    sender.close()
    assert len(connections) == 1


def test_a_token_that_was_refused_is_renewed_by_the_session_of_the_sdk(fcm: LocalFcm) -> None:
    sender = FirebaseSender(endpoint=fcm.url)
    sender.send([message("warm-up")], now=NOW)
    sdk = sender._own()
    assert sdk is not None
    renewed: list[object] = []
    sdk.credential.refresh = renewed.append
    fcm.behaviour.set("unauthenticated")
    [result] = sender.send([message()], now=NOW)
    sender.close()
    assert result.outcome is Outcome.OUR_FAULT
    assert renewed


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_behind_a_proxy_the_session_stays_the_sdk_s(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    session, url = requests.Session(), "https://fcm.googleapis.com/v1/x"
    for other in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    assert is_direct(session, url)
    monkeypatch.setenv(name, "http://192.0.2.1:3128")
    assert not is_direct(session, url)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for this machine, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "this-machine.pem"
    path.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_only_a_trusted_host_gets_the_message(
    serve: Callable[[Answering], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    seen = []

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                seen.append(received(secured))
                secured.sendall(OK)
        except OSError:
            return  # they did not trust us

    endpoint = serve(answer).replace("http:", "https:")
    monkeypatch.setattr(push, "require_local", lambda _endpoint: None)
    sender = FirebaseSender(endpoint=endpoint)
    [refused] = sender.send([message()], now=NOW)
    assert (refused.outcome, seen) == (Outcome.UNKNOWN, [])
    sender.close()
    monkeypatch.setattr(fcm_session, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    [trusted] = sender.send([message()], now=NOW)
    sender.close()
    assert trusted.outcome is Outcome.ACCEPTED
    assert b'"token": "a-phone"' in seen[0]
