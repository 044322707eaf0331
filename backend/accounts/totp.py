"""One-time codes by RFC 6238, as authenticator apps show them, and how their keys are kept."""

from __future__ import annotations

import base64
import hmac
import os
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings

ISSUER = "Handrail"
DIGITS, STEP_SECONDS, KEY_BYTES, NONCE_BYTES = 6, 30, 20, 12
# A clock may be half a minute off, either way.
STEPS_AROUND = (0, -1, 1)


def new_secret() -> str:
    """160 random bits in base 32, as people type them into an app."""
    return base64.b32encode(os.urandom(KEY_BYTES)).decode()


def address_of(secret: str, *, email: str) -> str:
    """The `otpauth:` address that an authenticator app reads from a picture."""
    return _totp(secret).get_provisioning_uri(email, ISSUER)


def code_at(secret: str, *, step: int) -> str:
    """The code that an app shows in this half minute."""
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def step_at(now: datetime) -> int:
    """Half minutes since 1970."""
    return int(now.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The half minute whose code this is, now or one beside it; None for a wrong code."""
    typed = code.replace(" ", "").encode()
    for step in (step_at(now) + around for around in STEPS_AROUND):
        if hmac.compare_digest(code_at(secret, step=step).encode(), typed):
            return step
    return None


def seal(secret: str, *, user_id: UUID) -> bytes:
    """Encrypted under the server's key, and of use in this account's row alone."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(settings.SECRET_KEY).encrypt(nonce, secret.encode(), user_id.bytes)


def unseal(sealed: bytes, *, user_id: UUID) -> str:
    """Raises `InvalidTag` for what another key, or another account, has sealed."""
    nonce, sealed = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(str(key)).decrypt(nonce, sealed, user_id.bytes).decode()
        except InvalidTag:
            continue
    raise InvalidTag


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - RFC 6238


def _cipher(key: str) -> AESGCM:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"accounts.second_factor")
    return AESGCM(derived.derive(key.encode()))
