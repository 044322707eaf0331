"""Secrets that are handed out once and stored as hashes: access tokens and enrolment codes."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from django.conf import settings

# Crockford's base 32: no I, L, O, U, so a code survives being read out on the telephone.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """SHA-256; a token has too many bits for anything slower to be of use."""
    return hashlib.sha256(token.encode()).digest()


def new_code() -> str:
    """60 random bits as three groups of four, for example `7K2M-Q0XA-93TD`."""
    letters = [secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH)]
    return "-".join("".join(letters[i : i + 4]) for i in range(0, CODE_LENGTH, 4))


def hash_code(code: str) -> str:
    """HMAC under the server's key, of the code as a person may type it."""
    typed = code.upper().replace("-", "").replace(" ", "")
    typed = typed.replace("O", "0").replace("I", "1").replace("L", "1")
    return hmac.new(settings.SECRET_KEY.encode(), typed.encode(), hashlib.sha256).hexdigest()
