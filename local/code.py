"""The codes that the demo staff's authenticator apps show now: ``python -m local.code``.

Reads the `totp_secret` of each from the ``run.json`` of HANDRAIL_STATE (default ``.state``).
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from local.programs import ROOT
from local.run import run_file

STEP_SECONDS = 30
_taken: dict[str, int] = {}


def code_now(secret: str) -> str:
    """What an app with this key shows now (RFC 6238)."""
    return _code(secret, _step())


def fresh_code(secret: str) -> str:
    """A code that this process has not been given before: the server takes each one once.

    Waits for up to half a minute after the second one.
    """
    step = max(_step(), _taken.get(secret, 0) + 1)
    while step > _step() + 1:
        time.sleep(0.2)
    _taken[secret] = step
    return _code(secret, step)


def _step() -> int:
    return int(time.time()) // STEP_SECONDS


def _code(secret: str, step: int) -> str:
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), STEP_SECONDS)  # noqa: S303 - RFC 6238
    return totp.generate(step * STEP_SECONDS).decode()


def main() -> int:
    """0 when a running Handrail was found."""
    state = Path(os.environ.get("HANDRAIL_STATE") or ROOT / ".state").resolve()
    try:
        sign_ins = json.loads(run_file(state).read_text())["sign_ins"]
    except (OSError, ValueError, KeyError):
        print(f"Handrail does not run on {state}.")
        return 1
    left = STEP_SECONDS - int(time.time()) % STEP_SECONDS
    for role, sign_in in sign_ins.items():
        if "totp_secret" in sign_in:
            print(f"{role:10} {code_now(sign_in['totp_secret'])}  for {left} s more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
