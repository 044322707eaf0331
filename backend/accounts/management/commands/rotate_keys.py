"""`manage.py rotate_keys`: wraps every patient's key by the first key of PATIENT_KEYS.

Runs while everything else does, any number of times and in any number of copies: each batch is a
short transaction of its own, and who is stopped loses nothing. What patients wrote is not touched.
Connects as the worker role, which alone may change a key.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.accounts import patient_keys
from backend.sealing import KeyRingError, UnreadableError

BATCH = 200


class Command(BaseCommand):
    help = "Wraps every patient's key by the first key of PATIENT_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="keys in one transaction")

    def handle(self, *_: Any, batch: int, **__: Any) -> None:
        try:
            current = patient_keys.key_ring().current
            count = 0
            while wrapped := patient_keys.rewrap(most=batch):
                count += wrapped
        except KeyRingError as error:
            raise CommandError(f"PATIENT_KEYS cannot be used: {error}.") from None
        except UnreadableError:
            raise CommandError(
                "A patient's key was wrapped by a key that PATIENT_KEYS does not hold."
            ) from None
        found = patient_keys.count_by_key()
        self.stdout.write(f"{count} wrapped anew by {current}.")
        for key_id, patients in sorted(found.items()):
            self.stdout.write(f"  {key_id}: {patients}")
        if set(found) - {current}:
            raise CommandError("Somebody else is at work on the rest; run this again.")
