"""SMS through Twilio: the only module that imports its client.

Decides by status and by Twilio's own error codes (twilio.com/docs/api/errors), never by a text.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException, Session
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from backend.notifications.push import Outcome, SendResult
from worker.channels.local_address import require_local

LONGEST_WAIT_S = 86_400
# Not a number, not one of a phone, or one whose owner has asked not to be written to.
NUMBER_GONE = frozenset({21211, 21214, 21217, 21610, 21614})
# Account, sender or region: ours to mend, and nobody's number is at fault.
OUR_SETTINGS = frozenset({20003, 20005, 21212, 21408, 21603, 21606, 21659, 21660})
POOL = 16

# The client logs what it sends, numbers and words included.
_silent = logging.getLogger("handrail.twilio")
_silent.disabled = True


class _Http(TwilioHttpClient):
    """Twilio's own, with an end to the waiting, no repeats, and perhaps another address."""

    def __init__(self, *, timeout: float, endpoint: str) -> None:
        super().__init__(timeout=timeout, logger=_silent)
        self.session = Session()
        for prefix in ("https://", "http://"):
            self.session.mount(prefix, HTTPAdapter(max_retries=0, pool_maxsize=POOL))
        self.session.trust_env = not endpoint  # no proxy on the way to this machine
        self._endpoint = endpoint.rstrip("/")
        self._heard = threading.local()

    def request(self, *args: Any, **kwargs: Any) -> Response:
        method, url = args[:2]
        if self._endpoint:
            url = f"{self._endpoint}{urlsplit(url).path}"
        self._heard.retry_after = ""
        response = super().request(method, url, *args[2:], **kwargs)
        headers = response.headers or {}
        self._heard.retry_after = str(headers.get("Retry-After", ""))
        return response

    @property
    def retry_after(self) -> timedelta | None:
        """What this thread's last answer asked for, in seconds; None when it asked for none."""
        value = getattr(self._heard, "retry_after", "").strip()
        if not (value.isascii() and value.isdigit()):
            return None
        return timedelta(seconds=min(int(value[:9]), LONGEST_WAIT_S))


class TwilioProvider:
    """Sends from `sender`: a number, or a messaging service (`MG...`).

    `endpoint` on this machine stands in for Twilio in development and tests. Raises ValueError
    for a part that is missing and for an endpoint elsewhere.
    """

    def __init__(
        self,
        *,
        account: str,
        token: str,
        sender: str,
        endpoint: str = "",
        timeout_seconds: float = 4.0,
    ) -> None:
        if not (account and token and sender):
            raise ValueError("Twilio needs an account, a token and a sender")
        if endpoint:
            require_local(endpoint)
        self.timeout_seconds = timeout_seconds
        self._http = _Http(timeout=timeout_seconds, endpoint=endpoint)
        client: Any = Client  # untyped in its own source
        self._client = client(account, token, http_client=self._http)
        is_service = sender.startswith("MG")
        self._from = {"messaging_service_sid" if is_service else "from_": sender}

    def send_text(self, *, number: str, text: str) -> SendResult:
        """Never raises."""
        try:
            made = self._client.messages.create(to=number, body=text, **self._from)
        except (TwilioRestException, TwilioServiceException) as error:
            return self._refused(int(error.status), int(error.code or 0))
        except RequestException as error:
            return SendResult(Outcome.UNKNOWN, error=type(error).__name__)
        except Exception as error:  # an unreadable answer shows as any class of error
            return SendResult(Outcome.UNKNOWN, error=type(error).__name__)
        if not made.sid:
            return SendResult(Outcome.UNKNOWN, error="NoMessageId")
        return SendResult(Outcome.ACCEPTED, provider_id=made.sid)

    def _refused(self, status: int, code: int) -> SendResult:
        outcome = _outcome(status, code)
        wait = self._http.retry_after if outcome is Outcome.RATE_LIMITED else None
        return SendResult(outcome, retry_after=wait, error=f"Twilio{code or status}")


def _outcome(status: int, code: int) -> Outcome:
    if status == 429 or code == 20429:
        return Outcome.RATE_LIMITED
    if code in NUMBER_GONE:
        return Outcome.TARGET_GONE
    if code in OUR_SETTINGS or status in (401, 403, 404):
        return Outcome.OUR_FAULT
    # Anything that is not Twilio's own refusal came from something in between and settles nothing.
    return Outcome.REJECTED if status == 400 and code != status else Outcome.UNKNOWN
