"""A client that sends HTTP requests over raw sockets, cheap enough not to disturb what it asks.

One thread, one poll, a fixed number of connections, each with one request under way. A server
that keeps connections open is spoken to over the same ones; one that closes gets new ones.
"""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

_READ = 65_536
_STALLED_S = 30.0


class Requests(Protocol):
    """Where requests come from and where their answers go."""

    def take(self) -> tuple[bytes, Hashable]:
        """The next request in full, and a name for it."""

    def answered(self, name: Hashable, status: int, body: bytes) -> None:
        """Called once for each request."""


@dataclass(slots=True)
class Outcome:
    """What came back. Latencies in seconds, in the order of the answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    elapsed_s: float = 0.0

    def milliseconds(self, share: float) -> float:
        """A percentile of the latencies, `share` from 0 to 1; 0 when nothing came back."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _Connection:
    """One socket with at most one request under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.socket = self._connect()
        self.name: Hashable = None
        self.request = b""
        self.sent_at = 0.0
        self.received = bytearray()
        self.is_idle = True

    def _connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=_STALLED_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, request: bytes, name: Hashable) -> None:
        self.request, self.name, self.is_idle = request, name, False
        self.received.clear()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def reconnect(self) -> None:
        self.socket.close()
        self.socket = self._connect()

    def answer(self) -> tuple[int, bytes, bool] | None:
        """Status, body and whether the server closes, once all of it is here."""
        head_end = self.received.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = bytes(self.received[:head_end]).lower()
        length = int(_header(head, b"content-length") or b"0")
        if len(self.received) < head_end + 4 + length:
            return None
        closes = _header(head, b"connection") == b"close"
        body = bytes(self.received[head_end + 4 : head_end + 4 + length])
        return int(head.split(b" ", 2)[1]), body, closes


def _header(head: bytes, name: bytes) -> bytes:
    _before, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""


class LoadClient:
    """Keeps `clients` requests under way at one port of this machine."""

    def __init__(self, port: int, *, clients: int) -> None:
        self._poll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        for _ in range(clients):
            self._add(_Connection(port))

    def run(self, requests: Requests, *, seconds: float) -> Outcome:
        """Sends for that long, then waits for what is under way. Raises TimeoutError."""
        outcome, began = Outcome(), time.perf_counter()
        deadline = began + seconds
        for connection in self._connections.values():
            connection.send(*requests.take())
        under_way = len(self._connections)
        while under_way:
            ready = self._poll.poll(_STALLED_S)
            if not ready:
                raise TimeoutError("The server has stopped answering.")
            for number, _event in ready:
                connection = self._connections[number]
                if self._receive(connection, requests, outcome):
                    if time.perf_counter() < deadline:
                        connection.send(*requests.take())
                    else:
                        under_way -= 1
        outcome.elapsed_s = time.perf_counter() - began
        return outcome

    def close(self) -> None:
        for connection in self._connections.values():
            connection.socket.close()
        self._poll.close()

    def _add(self, connection: _Connection) -> None:
        self._connections[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)

    def _receive(self, connection: _Connection, requests: Requests, outcome: Outcome) -> bool:
        """Whether the connection is free for the next request."""
        came = connection.socket.recv(_READ)
        connection.received += came
        answer = connection.answer()
        if answer is None:
            if not came:
                self._renew(connection)
                if not connection.is_idle:
                    # Closed between two requests: nothing was read, so it is sent once more.
                    connection.send(connection.request, connection.name)
            return False
        status, body, closes = answer
        outcome.latencies.append(time.perf_counter() - connection.sent_at)
        outcome.statuses[status] += 1
        requests.answered(connection.name, status, body)
        connection.is_idle = True
        if closes or not came:
            self._renew(connection)
        return True

    def _renew(self, connection: _Connection) -> None:
        self._poll.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        connection.reconnect()
        self._add(connection)
