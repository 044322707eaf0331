"""The SDK's HTTP session with the detours left out: posts of JSON to one address, by urllib3.

Half of what a push cost was spent in what requests does around urllib3: it reads the environment,
merges settings, keeps cookies and follows redirects, for each message. The SDK still builds and
encodes every message and judges every answer; google-auth still signs.
"""

from __future__ import annotations

import functools
import json as json_format
from pathlib import Path
from typing import Any

import requests
import urllib3
from google.auth.transport.requests import Request
from requests import exceptions as refused
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions as failed

_UNAUTHORIZED = 401


class LeanSession:
    """Stands in for `whole`, the SDK's AuthorizedSession, for posts to `url`.

    Any number of threads may use it. There must be no proxy on the way; see `is_direct`.
    """

    def __init__(
        self, whole: Any, credential: Any, url: str, *, timeout: float, connections: int
    ) -> None:
        self._whole, self._credential, self._url = whole, credential, url
        self._renewal = functools.partial(Request(), timeout=timeout)
        self._pool = urllib3.PoolManager(
            maxsize=connections, cert_reqs="CERT_REQUIRED", **_trusted(whole, url)
        )
        self._agent = whole.headers["User-Agent"]

    def request(
        self, method: str, url: str, *, headers: dict[str, str], json: Any, timeout: float
    ) -> requests.Response:
        """As `Session.request`, with what the SDK passes. Raises `RequestException`."""
        if method.lower() != "post" or url != self._url:
            return self._of_whole(method, url, headers=headers, json=json, timeout=timeout)
        sent = {"User-Agent": self._agent, "Content-Type": "application/json", **headers}
        self._credential.before_request(self._renewal, "post", url, sent)
        try:
            answer = self._pool.request(
                "POST",
                url,
                body=json_format.dumps(json, allow_nan=False).encode(),
                headers=sent,
                timeout=timeout,
                retries=False,
            )
        except failed.HTTPError as error:
            raise _as_requests_say(error) from error
        if answer.status == _UNAUTHORIZED:
            # It may want a new access token, which the session of the SDK asks for.
            return self._of_whole(method, url, headers=headers, json=json, timeout=timeout)
        if 300 <= answer.status < 400:
            raise refused.TooManyRedirects("the address has moved")
        return _Answer(answer, url)

    def close(self) -> None:
        """Closes what is open; a later request opens new ones."""
        self._pool.clear()
        self._whole.close()

    def _of_whole(self, method: str, url: str, **given: Any) -> requests.Response:
        answer: requests.Response = self._whole.request(method, url, **given)
        return answer


class _Answer(requests.Response):
    """What urllib3 has read, as the SDK expects it."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, url: str) -> None:
        super().__init__()
        self.status_code, self.reason, self.url = answer.status, answer.reason or "", url
        self.headers.update(answer.headers)
        self._content = answer.data


def is_direct(whole: Any, url: str) -> bool:
    """Whether the environment names no proxy for this address."""
    return not whole.merge_environment_settings(url, {}, None, None, None)["proxies"]


def _trusted(whole: Any, url: str) -> dict[str, Any]:
    """Those that requests itself trusts, from the environment where it says so."""
    verify = whole.merge_environment_settings(url, {}, None, None, None)["verify"]
    place = Path(verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH)
    return {"ca_cert_dir" if place.is_dir() else "ca_certs": str(place)}


def _as_requests_say(error: failed.HTTPError) -> refused.RequestException:
    if isinstance(error, failed.SSLError):
        return refused.SSLError(error)
    if isinstance(error, failed.NewConnectionError):  # a time-out too, by its class
        return refused.ConnectionError(error)
    if isinstance(error, failed.ConnectTimeoutError):
        return refused.ConnectTimeout(error)
    if isinstance(error, failed.TimeoutError):
        return refused.ReadTimeout(error)
    return refused.ConnectionError(error)
