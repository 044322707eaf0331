"""The push services of browsers, and what a browser's subscription has to look like. Pure.

A browser names the address of its push service itself: without this list we would post wherever
somebody says. Keys are those of RFC 8291: a point on P-256 and 16 random bytes.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

SERVICES = (
    "fcm.googleapis.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
AUTH_BYTES = 16


def is_known(endpoint: str, *, lets_local: bool = False) -> bool:
    """Whether that is an address of one of `SERVICES`, over TLS and on its usual port.

    `lets_local` lets a stand-in on this machine through as well, without TLS.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc:
        return False
    if parts.scheme == "https" and port in (None, 443):
        return any(host == one or (one[0] == "." and host.endswith(one)) for one in SERVICES)
    return lets_local and parts.scheme == "http" and host == "127.0.0.1"


def service_of(endpoint: str) -> str:
    """Which of `SERVICES` that is an address of, without a leading dot; else its host and port."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    known = (one for one in SERVICES if host == one or (one[0] == "." and host.endswith(one)))
    return next(known, parts.netloc).removeprefix(".")


def is_public_key(written: str) -> bool:
    """Whether something can be sealed for it: an uncompressed point, in URL-safe base64."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(written))
    except ValueError:  # binascii's is one, too
        return False
    return True


def is_secret(written: str) -> bool:
    """Whether these are the 16 bytes of a subscription, in URL-safe base64."""
    try:
        return len(_decoded(written)) == AUTH_BYTES
    except binascii.Error:
        return False


def _decoded(written: str) -> bytes:
    padded = written.rstrip("=") + "=" * (-len(written.rstrip("=")) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
