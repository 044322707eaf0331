"""E-mail through a real SMTP conversation on this machine."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from backend.notifications.push import Outcome, TargetKind
from tests.channels.conftest import NOW, message
from worker.channels.mail import MailSender

TO = "bob@example.org"


@dataclass
class Server:
    """Answers each command as `refusals` say, 250 otherwise; keeps the mails it took."""

    port: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    taken: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture
def smtp(settings: Settings) -> Iterator[Server]:
    state = Server()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                command = line.split()[0].upper()
                state.said.append(line)
                if command in state.refusals:
                    self._say(state.refusals[command])
                elif command == "DATA":
                    self._say("354 go on")
                    self._take()
                else:
                    self._say("250 fine")
                if command == "QUIT":
                    return

        def _take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            state.taken.append(b"".join(lines))
            self._say("250 taken")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Threads(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        state.port = server.server_address[1]
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", state.port
        settings.EMAIL_USE_TLS = False
        yield state
        server.shutdown()
        thread.join()


def mail_to(address: str = TO, **values: Any) -> Any:
    return message(address, kind=TargetKind.EMAIL, **values)


def send(*messages: Any) -> list[Any]:
    return MailSender(timeout_seconds=2.0).send(messages, now=NOW)


def test_a_mail_says_nothing_but_that_there_is_a_message(smtp: Server) -> None:
    one = mail_to()
    (result,) = send(one)
    assert result.outcome is Outcome.ACCEPTED
    (raw,) = smtp.taken
    mail = email.message_from_bytes(raw)
    assert mail["To"] == TO
    assert mail["Subject"] == one.title
    assert str(one.notification_id) in mail["Message-ID"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert str(mail.get_payload()).strip() == one.body


def test_a_repeat_is_the_same_mail(smtp: Server) -> None:
    one = mail_to()
    send(one)
    send(one)
    first, second = (email.message_from_bytes(raw)["Message-ID"] for raw in smtp.taken)
    assert first == second


@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("RCPT", "550 no such mailbox", Outcome.TARGET_GONE),
        ("RCPT", "450 greylisted", Outcome.RATE_LIMITED),
        ("RCPT", "452 too many", Outcome.RATE_LIMITED),
        ("MAIL", "550 you may not send", Outcome.OUR_FAULT),
        ("MAIL", "451 busy", Outcome.RATE_LIMITED),
        ("DATA", "554 refused", Outcome.REJECTED),
        ("DATA", "421 going down", Outcome.RATE_LIMITED),
    ],
)
def test_each_refusal(smtp: Server, command: str, answer: str, outcome: Outcome) -> None:
    smtp.refusals[command] = answer
    (result,) = send(mail_to())
    assert result.outcome is outcome
    assert "mailbox" not in result.error
    assert smtp.taken == []


def test_wrong_credentials_are_our_fault(smtp: Server, settings: Settings) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "wrong"
    smtp.refusals["EHLO"] = "250-here\r\n250 AUTH PLAIN"
    smtp.refusals["AUTH"] = "535 no"
    (result,) = send(mail_to())
    assert (result.outcome, result.error) == (Outcome.OUR_FAULT, "SMTPAuthenticationError")


def test_a_server_that_is_not_there(smtp: Server, settings: Settings) -> None:
    settings.EMAIL_PORT = 9
    (result,) = send(mail_to())
    assert result.outcome is Outcome.UNKNOWN


def test_an_expired_message_is_not_mailed(smtp: Server) -> None:
    (result,) = send(mail_to(life=timedelta(0)))
    assert result.outcome is Outcome.REJECTED
    assert smtp.said == []


def test_many_keep_their_order(smtp: Server) -> None:
    messages = [mail_to(f"{number}@example.org") for number in range(20)]
    results = send(*messages)
    assert {one.outcome for one in results} == {Outcome.ACCEPTED}
    for one, result in zip(messages, results, strict=True):
        assert str(one.notification_id) in result.provider_id
