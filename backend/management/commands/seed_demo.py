"""Makes the demo organisation, its staff and its patient; again changes nothing.

Prints the sign-ins as JSON; staff have the `totp_secret` of an authenticator app as well.
Passwords and keys are made once and kept in the file given with --state.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.accounts import totp
from backend.accounts.demo import SignIn, seed_demo

PEOPLE = ("patient", "therapist", "admin")
STAFF = ("therapist", "admin")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", type=Path, required=True, help="file for the passwords")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("The demo is not made in production.")
        sign_ins = _sign_ins(options["state"])
        seed_demo(sign_ins)
        shown = {name: _shown(sign_in) for name, sign_in in sign_ins.items()}
        self.stdout.write(json.dumps({"sign_ins": shown}))


def _shown(sign_in: SignIn) -> dict[str, str]:
    facts = {"email": sign_in.email, "password": sign_in.password}
    return facts | ({"totp_secret": sign_in.totp_secret} if sign_in.totp_secret else {})


def _sign_ins(state: Path) -> dict[str, SignIn]:
    known: dict[str, str] = json.loads(state.read_text()) if state.exists() else {}
    passwords = {name: known.get(name) or secrets.token_urlsafe(12) for name in PEOPLE}
    keys = {f"{name}-totp": known.get(f"{name}-totp") or totp.new_secret() for name in STAFF}
    state.touch(mode=0o600)
    state.write_text(json.dumps(passwords | keys))
    return {
        name: SignIn(f"{name}@demo.example", password, keys.get(f"{name}-totp", ""))
        for name, password in passwords.items()
    }
