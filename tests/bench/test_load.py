"""The load client against real servers that keep connections open, and that close them."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.bodies import Template, fresh_ids, request
from bench.load import LoadClient


class Answering(BaseHTTPRequestHandler):
    """Answers 201 with what was sent; HTTP/1.0 closes after each answer."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201 if sent != b"bad" else 400)
        self.send_header("Content-Length", str(len(sent)))
        if self.protocol_version == "HTTP/1.0":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_arguments: object) -> None:
        pass


class Kept(Answering):
    protocol_version = "HTTP/1.1"


class Closed(Answering):
    protocol_version = "HTTP/1.0"


@contextmanager
def serving(handler: type[Answering]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Numbered:
    def __init__(self, bodies: list[bytes] | None = None) -> None:
        self.sent = 0
        self.bodies = bodies
        self.answers: dict[Hashable, bytes] = {}

    def take(self) -> tuple[bytes, Hashable]:
        self.sent += 1
        body = self.bodies[self.sent % len(self.bodies)] if self.bodies else b"%d" % self.sent
        return request("/", "token", body), self.sent

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        assert name not in self.answers
        self.answers[name] = body


@pytest.mark.parametrize("handler", [Kept, Closed])
def test_each_request_is_answered_once_and_by_its_own_answer(handler: type[Answering]) -> None:
    with serving(handler) as port:
        client, numbered = LoadClient(port, clients=3), Numbered()
        outcome = client.run(numbered, seconds=0.2)
        client.close()
    assert numbered.sent >= 6
    assert outcome.statuses == {201: numbered.sent}
    assert numbered.answers == {n: b"%d" % n for n in range(1, numbered.sent + 1)}
    assert len(outcome.latencies) == numbered.sent
    assert outcome.milliseconds(0.5) <= outcome.milliseconds(0.99)


def test_refusals_are_counted_apart() -> None:
    with serving(Kept) as port:
        client, numbered = LoadClient(port, clients=1), Numbered([b"good", b"bad"])
        outcome = client.run(numbered, seconds=0.1)
        client.close()
    assert outcome.statuses[400] in (numbered.sent // 2, numbered.sent // 2 + 1)
    assert outcome.statuses.total() == numbered.sent


def test_no_time_still_sends_one_request_a_connection() -> None:
    with serving(Kept) as port:
        client, numbered = LoadClient(port, clients=2), Numbered()
        client.run(numbered, seconds=0)
        client.close()
    assert numbered.sent == 2


def test_ids_are_never_the_same_twice_and_fill_every_place() -> None:
    ids = fresh_ids(7)
    assert len({next(ids) for _ in range(5000)}) == 5000
    template = Template([{"id": "the-id-of-this-one"}, {"id": "the-id-of-this-one"}])
    filled = template.filled(iter([b"a", b"b"]))
    assert filled == b'[{"id": "a"}, {"id": "b"}]'
    assert template.places == 2
