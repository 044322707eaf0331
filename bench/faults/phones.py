"""The phones: they send what is due, keep what was not acknowledged, and send it again."""

from __future__ import annotations

import heapq
import http.client
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable

from bench.faults.ledger import Sent
from bench.faults.naming import token_of

PATH = "/api/v1/check-ins"
TIMEOUT_S = 8.0
_KEPT_OPEN_S = 1.0
"""Shorter than the web process keeps an idle connection: what it has closed loses no request."""

_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.2, 2.0


class Phones:
    """Threads that share what is to be sent. Each check-in is with one thread at a time."""

    def __init__(self, port: int, *, threads: int = 24) -> None:
        self._port = port
        self.ledger: list[Sent] = []
        self.posts_s: list[tuple[float, float]] = []
        """When each answered request began, and how long it took."""
        self.answers: Counter[int] = Counter()
        """How many requests were answered with each status; 0 for no answer."""
        self._due: list[tuple[float, int, Sent]] = []
        self._open = 0
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def add(self, check_ins: Iterable[Sent]) -> None:
        """Takes these into the ledger; each goes out when it is due."""
        with self._changed:
            for sent in check_ins:
                self.ledger.append(sent)
                self._push(sent, sent.due_at)
                self._open += 1
            self._changed.notify_all()

    @property
    def left(self) -> int:
        """How many have not been acknowledged, or not been sent again as they were to be."""
        with self._changed:
            return self._open

    def close(self) -> None:
        """Nothing is sent any more; what was acknowledged stays in the ledger."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(TIMEOUT_S + 1)

    def _push(self, sent: Sent, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._order), sent))

    def _take(self) -> Sent | None:
        with self._changed:
            while not self._is_closed:
                wait = self._due[0][0] - time.time() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _work(self) -> None:
        connection = _Connection(self._port)
        while (sent := self._take()) is not None:
            again_in = self._send(connection, sent)
            with self._changed:
                if again_in is None:
                    self._open -= 1
                else:
                    self._push(sent, time.time() + again_in)
                    self._changed.notify()
        connection.close()

    def _send(self, connection: _Connection, sent: Sent) -> float | None:
        """One try; in how many seconds the next one is due, None when there is none."""
        sent.tries += 1
        began = time.time()
        sent.first_try_at = sent.first_try_at or began
        status = connection.post(sent.json(), token_of(sent.patient))
        ended = time.time()
        with self._changed:
            self.answers[status] += 1
            if status:
                self.posts_s.append((began, ended - began))
        if status in (200, 201):
            return self._acknowledged(sent, status, began, ended)
        if status == 400 and sent.clock_is_wrong and not sent.heard_at:
            sent.heard_at = ended
            return 0.1
        if status and status < 500 and status != 429:
            sent.refused_with = status
            return None
        wait = min(_FIRST_RETRY_S * (1 << min(sent.tries, 8)), _LONGEST_RETRY_S)
        return wait * random.uniform(0.5, 1)

    def _acknowledged(self, sent: Sent, status: int, began: float, ended: float) -> float | None:
        if sent.is_acked:
            sent.replayed.append(status)
        else:
            sent.acked_at, sent.took_s = ended, ended - began
        if len(sent.replayed) < sent.replays:
            return random.uniform(0.5, 5)
        return None


class _Connection:
    """One connection that is kept open, as an app's is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._http: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def post(self, body: bytes, token: str) -> int:
        """The status of the answer once all of it is here; 0 when there was none."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if time.monotonic() - self._used_at > _KEPT_OPEN_S:
            self.close()
        try:
            if self._http is None:
                self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
            self._http.request("POST", PATH, body, headers)
            answer = self._http.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0
        self._used_at = time.monotonic()
        return answer.status

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None
