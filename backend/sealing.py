"""Texts under AES-256-GCM, each bound to its place, and the keys that wrap other keys.

Pure. A place is `table.column:row`: what stands anywhere else, or was put there from another row,
does not open. One byte in front says how it was sealed, so that another way can come later.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES, VERSION = 32, 12, b"\x01"
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class UnreadableError(Exception):
    """Another key has sealed this, or it does not belong where it stands."""


class KeyRingError(ValueError):
    """The keys are not written as they should be. Never says what was written."""


def place_of(table: str, column: str, row_id: object) -> bytes:
    """What a sealed text is bound to."""
    return f"{table}.{column}:{row_id}".encode()


def new_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, content: bytes, *, place: bytes) -> bytes:
    """29 bytes longer than the content. Never the same twice."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, content, VERSION + place)


def unseal(key: bytes, sealed: bytes, *, place: bytes) -> bytes:
    """Raises `UnreadableError`."""
    nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if sealed[:1] != VERSION or len(nonce) != NONCE_BYTES:
        raise UnreadableError
    try:
        return AESGCM(key).decrypt(nonce, body, VERSION + place)
    except InvalidTag:
        raise UnreadableError from None


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A key as it is stored, and the id of the key that wraps it."""

    key_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that wrap patients' keys, by their ids. The first one wraps new ones."""

    keys: Mapping[str, bytes]

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """From `id:key` by spaces, commas or lines; a key is 32 bytes in URL-safe base64.

        Raises `KeyRingError` for none, for one that is short or written wrongly, and for an id
        that stands there twice.
        """
        keys: dict[str, bytes] = {}
        for part in text.replace(",", " ").split():
            name, _colon, written = part.partition(":")
            key = _decoded(written)
            if not _ID.fullmatch(name) or key is None or name in keys:
                raise KeyRingError(f"key {len(keys) + 1} is not written as id:key")
            if any(hmac.compare_digest(key, known) for known in keys.values()):
                raise KeyRingError(f"key {len(keys) + 1} stands there twice")
            keys[name] = key
        if not keys:
            raise KeyRingError("there is no key")
        return cls(keys)

    @property
    def current(self) -> str:
        """The id of the key that wraps new ones."""
        return next(iter(self.keys))

    def wrap(self, key: bytes, *, owner: bytes) -> bytes:
        """Under the current key, and of use to this owner alone."""
        return seal(self.keys[self.current], key, place=_wrapping(self.current, owner))

    def unwrap(self, wrapped: bytes, *, key_id: str, owner: bytes) -> bytes:
        """Raises `UnreadableError`, also for a key that is not on this ring."""
        if key_id not in self.keys:
            raise UnreadableError
        return unseal(self.keys[key_id], wrapped, place=_wrapping(key_id, owner))


def _wrapping(key_id: str, owner: bytes) -> bytes:
    return b"key:" + key_id.encode() + b":" + owner


def _decoded(written: str) -> bytes | None:
    try:
        key = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    is_weak = len(key) != KEY_BYTES or len(set(key)) < 8
    return None if is_weak else key
