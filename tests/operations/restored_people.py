"""What people do before and after a back-up, in a process of its own: `enrol a b`, `revoke a`."""

from __future__ import annotations

import worker.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import sys
from datetime import timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from backend.accounts.actor import Role
from backend.accounts.models import AccessToken, Device, Patient
from backend.accounts.services import PushTarget, register_device, revoke_device, sign_out
from backend.accounts.tokens import hash_token, new_token
from backend.privacy.services import write_journal
from backend.row_security import Acting, act_as
from tests.notifications.outbox import ACUTE, draft, queue
from tests.people import actor_for, make_organisation, make_patient, make_user

act_as(Acting("system"))
SPACE = UUID("5f3d1bb5-0a3e-4f3c-9f0e-1d9a9c1b6f11")


def enrol(names: list[str]) -> None:
    """A patient each, with a phone named after them and an urgent message waiting."""
    organisation, now = make_organisation(), timezone.now()
    for name in names:
        user = make_user(name, Role.PATIENT)
        patient = make_patient(organisation, name, user=user)
        token = AccessToken.objects.create(
            user=user, token_hash=hash_token(new_token()), expires_at=now + timedelta(days=1)
        )
        register_device(
            actor=actor_for(user),
            token=token,
            installation_id=uuid5(SPACE, name),
            target=PushTarget(
                kind="fcm", push_target=name, target_kind="token", platform="android"
            ),
            is_private=True,
            now=now,
        )
        with transaction.atomic():
            queue(draft(patient, user, now=now, **ACUTE), now=now)


def revoke(name: str) -> None:
    user = Patient.objects.get(given_name=name.title()).user
    assert user is not None
    revoke_device(actor=actor_for(user), installation_id=uuid5(SPACE, name), now=timezone.now())


def leave(name: str) -> None:
    device = Device.objects.get(push_target=name)
    token = AccessToken.objects.get(device=device)
    sign_out(actor=actor_for(device.user), token=token, now=timezone.now())


def main(act: str, *names: str) -> None:
    if act == "enrol":
        enrol(list(names))
    elif act == "revoke":
        revoke(*names)
    elif act == "sign-out":
        leave(*names)
    else:
        sys.stdout.write(f"{write_journal()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
