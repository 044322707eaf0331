"""The HTTP server: FCM's one endpoint, the developer's few, and the page with the phones."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from local.fcm import answers
from local.fcm.answers import Answer
from local.fcm.behaviour import Behaviours, Mode, behaviour_arguments
from local.fcm.checking import target_of, violations
from local.fcm.inbox import Inbox

DEFAULT_PROJECT = "handrail-local"
LARGEST_BODY = 64 * 1024
LONGEST_HANG_SECONDS = 300.0

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/app.css": ("app.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class LocalFcm:
    """The server as an object, listening from `start` to `stop`; port 0 picks a free one.

    As a context manager it starts and stops by itself. `behaviour` says how it answers.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, project: str = DEFAULT_PROJECT
    ) -> None:
        self.project = project
        self.behaviour = Behaviours()
        self.inbox = Inbox()
        self.stopping = threading.Event()
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, as in http://127.0.0.1:9099. Raises RuntimeError when stopped."""
        if self._server is None:
            raise RuntimeError("not started")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What `GET /messages` answers, oldest first."""
        return [received.as_json() for received in self.inbox.listed()]

    def start(self) -> Self:
        """Begins to listen. Raises OSError when the port is taken."""
        self.stopping.clear()
        self._server = _Server(self._address, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Refuses new connections and cuts the open ones, hanging ones included."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # a sender opens a hundred connections at once

    def __init__(self, address: tuple[str, int], fcm: LocalFcm) -> None:
        self.fcm = fcm
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def cut_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it was closing by itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is what half of the tests are about."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "LocalFcm"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the page shows what arrived."""

    def _answer(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self._write(Answer(413))
            return
        path = urlsplit(self.path).path
        send = _SEND.fullmatch(path)
        if send and self.command == "POST":
            self._send_message(send[1], body)
            return
        call = _ROUTES.get((self.command, path))
        if call is not None:
            self._write(call(self, body))
        elif path in _FILES and self.command in {"GET", "HEAD"}:
            self._write(_page(path))
        else:
            self._write(Answer(404, b"<p>Not found.", {"Content-Type": "text/html"}))

    def _body(self) -> bytes | None:
        """The request's body; None when it is too large or has no length."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            return None
        return self.rfile.read(int(length)) if int(length) <= LARGEST_BODY else None

    def _send_message(self, project: str, body: bytes) -> None:
        fcm = self.server.fcm
        request = _parsed(body)
        refused = self._refused(project, request)
        if refused is not None:
            self._write(refused)
            return
        message = request["message"]
        kind, target = target_of(message)
        rule = fcm.behaviour.take(target)
        fcm.stopping.wait(rule.latency_ms / 1000)
        if rule.mode is Mode.HANG:
            fcm.stopping.wait(LONGEST_HANG_SECONDS)
            self.close_connection = True
        elif rule.mode is Mode.RESET:
            self._reset()
        else:
            name, good = answers.accepted(project)
            if rule.mode.delivers and request.get("validate_only") is not True:
                fcm.inbox.add(message, name)
            self._write(good if rule.mode is Mode.OK else answers.failing(rule, kind))

    def _refused(self, project: str, request: Any) -> Answer | None:
        if not self.headers.get("Authorization", "").startswith("Bearer "):
            return answers.no_credentials()
        if project != self.server.fcm.project:
            return answers.wrong_project()
        wrong = violations(request)
        return answers.invalid(wrong) if wrong else None

    def _reset(self) -> None:
        """Cuts the connection the hard way, as a dying proxy does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def _get_messages(self, _: bytes) -> Answer:
        inbox = self.server.fcm.inbox
        tag = f'"{inbox.revision}"'
        if self.headers.get("If-None-Match") == tag:
            return Answer(304, headers={"ETag": tag})
        last = parse_qs(urlsplit(self.path).query).get("last", [""])[0]
        kept = inbox.listed(last=int(last) if last.isascii() and last.isdigit() else None)
        return answers.as_json([received.as_json() for received in kept], headers={"ETag": tag})

    def _delete_messages(self, _: bytes) -> Answer:
        self.server.fcm.inbox.clear()
        return Answer(204)

    def _get_behaviour(self, _: bytes) -> Answer:
        return answers.as_json([rule.as_json() for rule in self.server.fcm.behaviour.listed()])

    def _put_behaviour(self, body: bytes) -> Answer:
        try:
            rule = self.server.fcm.behaviour.set(**behaviour_arguments(_parsed(body)))
        except ValueError as error:
            return answers.as_json({"error": str(error)}, status=400)
        return answers.as_json(rule.as_json())

    def _delete_behaviour(self, _: bytes) -> Answer:
        self.server.fcm.behaviour.clear()
        return Answer(204)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**_SAFE, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


_Call = Callable[[_Exchange, bytes], Answer]
_ROUTES: Mapping[tuple[str, str], _Call] = {
    ("GET", "/messages"): _Exchange._get_messages,
    ("DELETE", "/messages"): _Exchange._delete_messages,
    ("GET", "/behaviour"): _Exchange._get_behaviour,
    ("PUT", "/behaviour"): _Exchange._put_behaviour,
    ("DELETE", "/behaviour"): _Exchange._delete_behaviour,
}


def _parsed(body: bytes) -> Any:
    """The JSON value, or None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _page(path: str) -> Answer:
    name, kind = _FILES[path]
    return Answer(200, (_PAGE / name).read_bytes(), {"Content-Type": kind})
