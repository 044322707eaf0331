"""Push through Firebase Cloud Messaging (FCM HTTP v1): the only module that imports its SDK.

The SDK takes a second to import, so it is loaded at the first message, not with the worker. Its
batch call is not used: one unreadable answer there loses the results of all the others.

How long one `send` of n messages may take: ceil(n / 100) x (time-out + 0.5 s); one time-out
+ 0.5 s more when the access token has to be renewed; up to 30 s more for the very first, which
loads the SDK (1 to 3 s is usual). The lease on a batch has to outlast that.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.notifications.push import Outcome, PushMessage, Sender, SendResult
from worker.channels.bounded import BoundedCalls
from worker.channels.fcm_answer import OutcomeTable, read_failure
from worker.channels.fcm_message import build_message
from worker.channels.local_address import require_local

CHUNK = 100
GRACE_SECONDS = 0.5
LOAD_SECONDS = 30.0
MOST_THREADS = 400
LOCAL_PROJECT = "handrail-local"

_FCM_HOST = "https://fcm.googleapis.com"
_load_lock = threading.Lock()
_app_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _Sdk:
    """The loaded SDK with one app of its own. Any, because the SDK is mostly untyped."""

    pid: int
    admin: Any
    app: Any
    messaging: Any
    session: Any
    credential: Any
    table: OutcomeTable


class FirebaseSender:
    """Sends through FCM, up to 100 messages side by side.

    A message that hangs holds no other; what has not answered in time is UNKNOWN. Give either a
    service account's `credentials_file` or, for development and tests, an `endpoint` on this
    machine; raises ValueError otherwise. `project_id` defaults to the service account's.
    """

    name = "firebase"

    def __init__(
        self,
        *,
        credentials_file: str = "",
        endpoint: str = "",
        project_id: str = "",
        timeout_seconds: float = 4.0,
    ) -> None:
        if bool(credentials_file) == bool(endpoint):
            raise ValueError("give either a credentials file or a local endpoint")
        if timeout_seconds <= 0:
            raise ValueError("timeout_seconds must be positive")
        if endpoint:
            require_local(endpoint)
        self._credentials_file = credentials_file
        self._endpoint = endpoint.rstrip("/")
        self._project_id = project_id or (LOCAL_PROJECT if endpoint else "")
        self._timeout = timeout_seconds
        self._calls = BoundedCalls(limit=MOST_THREADS)
        self._loaded: _Sdk | None = None

    def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[SendResult]:
        """One result for each message, in order; never raises.

        A message that has expired at `now` is REJECTED without a call.
        """
        if not messages:
            return []
        sdk = self._ready()
        if isinstance(sdk, SendResult):
            return [sdk] * len(messages)
        results: list[SendResult] = []
        for start in range(0, len(messages), CHUNK):
            results += self._calls.run(
                [
                    functools.partial(_deliver, sdk, message, now)
                    for message in messages[start : start + CHUNK]
                ],
                seconds=self._timeout + GRACE_SECONDS,
                missing=_unknown,
            )
        return results

    def close(self) -> None:
        """Closes the connections; a later `send` opens new ones. Not while another one sends."""
        with _load_lock:
            sdk, self._loaded = self._own(), None
        if sdk is not None:
            sdk.session.close()
            sdk.admin.delete_app(sdk.app)

    def _own(self) -> _Sdk | None:
        """None after a fork: connections shared with the parent would mix up the answers."""
        sdk = self._loaded
        return sdk if sdk is not None and sdk.pid == os.getpid() else None

    def _ready(self) -> _Sdk | SendResult:
        """The SDK with a valid access token, or the result that stands for every message."""
        sdk = self._own()
        if sdk is not None and sdk.credential.valid:
            return sdk
        seconds = self._timeout + GRACE_SECONDS + (0.0 if sdk else LOAD_SECONDS)
        return self._calls.run([self._prepare], seconds=seconds, missing=_unknown)[0]

    def _prepare(self) -> _Sdk | SendResult:
        try:
            with _load_lock:
                sdk = self._own()
                if sdk is None:
                    sdk = self._loaded = self._load()
            if not sdk.credential.valid:
                _renew(sdk.credential, self._timeout)
        except Exception as error:  # a wrong file, key or version shows as any class of error
            return SendResult(_preparing_failed(error), error=type(error).__name__)
        return sdk

    def _load(self) -> _Sdk:
        """Starts an app under a name of its own, so that others in the process do not matter."""
        import firebase_admin
        from firebase_admin import credentials, messaging

        admin: Any = firebase_admin
        certificate: Any = credentials.Certificate
        file = self._credentials_file
        options = {"httpTimeout": self._timeout, "projectId": self._project_id}
        app = admin.initialize_app(
            certificate(file) if file else _static_token(),
            {key: value for key, value in options.items() if value},
            f"handrail-push-{next(_app_numbers)}",
        )
        token = app.credential.get_credential()
        session = _session_of(messaging, app, token, self._endpoint, timeout=self._timeout)
        return _Sdk(os.getpid(), admin, app, messaging, session, token, _outcomes())


def firebase_sender(*, credentials: str, endpoint: str) -> Sender:
    """The sender for `FIREBASE_CREDENTIALS` (a path) or, in development, for `FCM_ENDPOINT`.

    Exactly one of them is set, the other is empty; raises ValueError otherwise, or when the
    endpoint is not on this machine. The file is read with the first message.
    """
    return FirebaseSender(credentials_file=credentials, endpoint=endpoint)


def _deliver(sdk: _Sdk, message: PushMessage, now: datetime) -> SendResult:
    if message.expires_at <= now:
        return SendResult(Outcome.REJECTED, error="Expired")
    try:
        built = build_message(sdk.messaging, message, now=now)
    except ValueError:
        return SendResult(Outcome.REJECTED, error="NoTarget")
    try:
        provider_id = sdk.messaging.send(built, app=sdk.app)
    except Exception as error:  # an unreadable answer shows as any class of error
        return read_failure(error, table=sdk.table, now=now)
    if not isinstance(provider_id, str) or not provider_id:
        return _unknown("NoMessageId")
    return SendResult(Outcome.ACCEPTED, provider_id=provider_id)


def _unknown(error: str) -> SendResult:
    return SendResult(Outcome.UNKNOWN, error=error)


def _session_of(messaging: Any, app: Any, token: Any, endpoint: str, *, timeout: float) -> Any:
    """The SDK's HTTP session, calmed, made lean, and pointed at `endpoint` when there is one.

    Uses private names, as the SDK has no others; raises when they have moved.
    """
    from requests.adapters import HTTPAdapter

    from worker.channels.fcm_session import LeanSession, is_direct

    service = messaging._get_messaging_service(app)
    client = service._client
    session = client.session
    for prefix in (_FCM_HOST, "https://", "http://"):
        # The SDK's own adapters repeat a send and sleep on Retry-After inside our threads.
        session.mount(prefix, HTTPAdapter(max_retries=0, pool_maxsize=CHUNK))
    session.max_redirects = 0
    if endpoint:
        if not service._fcm_url.startswith(_FCM_HOST):
            raise RuntimeError("the SDK keeps its address elsewhere")
        service._fcm_url = endpoint + service._fcm_url.removeprefix(_FCM_HOST)
        session.trust_env = False  # no proxy on the way to this machine
    if not is_direct(session, service._fcm_url):
        return session
    if client._session is not session:
        raise RuntimeError("the SDK keeps its session elsewhere")
    client._session = LeanSession(
        session, token, service._fcm_url, timeout=timeout, connections=CHUNK
    )
    return client._session


def _static_token() -> Any:
    """For a local endpoint: a service account would make the auth library ask foreign hosts."""
    from google.auth.credentials import Credentials

    class StaticToken(Credentials):
        def refresh(self, request: object) -> None:
            """There is nothing to renew."""

    token: Any = StaticToken
    credential = token()
    credential.token = "local"  # noqa: S105  # no secret, and sent to this machine alone
    return credential


def _renew(credential: Any, timeout: float) -> None:
    from google.auth.transport.requests import Request

    credential.refresh(functools.partial(Request(), timeout=timeout))


def _preparing_failed(error: Exception) -> Outcome:
    """Nothing was sent. Worth repeating only when Google could not be reached or said so."""
    from google.auth.exceptions import GoogleAuthError, TransportError

    again = isinstance(error, TransportError) or (
        isinstance(error, GoogleAuthError) and error.retryable
    )
    return Outcome.UNKNOWN if again else Outcome.OUR_FAULT


def _outcomes() -> OutcomeTable:
    """What each class of refusal means, the most particular first."""
    from firebase_admin import exceptions, messaging
    from google.auth.exceptions import RefreshError

    return (
        (messaging.UnregisteredError, Outcome.TARGET_GONE),
        (messaging.SenderIdMismatchError, Outcome.TARGET_GONE),
        (messaging.ThirdPartyAuthError, Outcome.OUR_FAULT),
        (exceptions.ResourceExhaustedError, Outcome.RATE_LIMITED),  # QuotaExceededError as well
        (exceptions.UnauthenticatedError, Outcome.OUR_FAULT),
        (exceptions.PermissionDeniedError, Outcome.OUR_FAULT),
        (exceptions.NotFoundError, Outcome.OUR_FAULT),  # no UNREGISTERED: a wrong address
        (exceptions.InvalidArgumentError, Outcome.REJECTED),
        (RefreshError, Outcome.OUR_FAULT),
    )
