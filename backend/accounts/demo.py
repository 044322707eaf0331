"""The people of the demo organisation. Only for development: `seed_demo` refuses production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from backend.accounts import services, totp
from backend.accounts.actor import Actor, Role
from backend.accounts.models import (
    AccessToken,
    Clinician,
    ClinicianRole,
    FactorKind,
    Organisation,
    Patient,
    SecondFactor,
    User,
)
from backend.accounts.tokens import hash_token, new_token

ACTOR = Actor.system("seed_demo")
NAME = "Riverside Recovery (demo)"
THERAPIST_PHONE = UUID("5d1f9d1e-6a39-4b5c-8b0a-7b4f3c0f2a11")


@dataclass(frozen=True, slots=True)
class SignIn:
    """`totp_secret` is the key of an authenticator app, for staff."""

    email: str
    password: str = field(repr=False)
    totp_secret: str = field(default="", repr=False)


@transaction.atomic
def seed_demo(sign_ins: Mapping[str, SignIn]) -> Organisation:
    """One organisation, its administrator, therapist and patient, and the therapist's phone.

    What stands already is kept; the passwords and the keys given are set again.
    """
    found = Organisation.objects.filter(name=NAME).first()
    organisation = found or _make(sign_ins)
    for sign_in in sign_ins.values():
        if found is not None:
            User.objects.filter(email=sign_in.email).update(
                password=make_password(sign_in.password)
            )
        if sign_in.totp_secret:
            _set_up_app(sign_in)
    return organisation


def _set_up_app(sign_in: SignIn) -> None:
    user = User.objects.get(email=sign_in.email)
    sealed = totp.seal(sign_in.totp_secret, user_id=user.pk)
    SecondFactor.objects.update_or_create(
        user=user,
        kind=FactorKind.TOTP,
        defaults={"sealed_secret": sealed},
        create_defaults={"sealed_secret": sealed, "created_at": timezone.now()},
    )


def _make(sign_ins: Mapping[str, SignIn]) -> Organisation:
    organisation = services.add_organisation(
        actor=ACTOR, name=NAME, country="US", time_zone="America/New_York"
    )
    services.add_administrator(
        actor=ACTOR,
        organisation=organisation,
        email=sign_ins["admin"].email,
        password=sign_ins["admin"].password,
    )
    therapist = _therapist(organisation, sign_ins["therapist"])
    patient = _patient(organisation, sign_ins["patient"])
    services.join_care_team(
        actor=ACTOR,
        patient=patient,
        clinician=therapist,
        role=ClinicianRole.THERAPIST,
        on=timezone.now().date() - timedelta(days=120),
    )
    return organisation


def _therapist(organisation: Organisation, sign_in: SignIn) -> Clinician:
    therapist = services.add_clinician(
        actor=ACTOR,
        organisation=organisation,
        email=sign_in.email,
        password=sign_in.password,
        display_name="Dr. Ana Rivera",
        roles=[ClinicianRole.THERAPIST, ClinicianRole.ON_CALL],
    )
    now = timezone.now()
    token = AccessToken.objects.create(
        user=therapist.user, token_hash=hash_token(new_token()), expires_at=now
    )
    services.register_device(
        actor=Actor(user_id=therapist.user_id, role=Role.CLINICIAN),
        token=token,
        installation_id=THERAPIST_PHONE,
        target=services.PushTarget(
            kind="fcm",
            push_target="demo-therapist-phone",
            target_kind="token",
            platform="android",
        ),
        is_private=True,
        now=now,
    )
    return therapist


def _patient(organisation: Organisation, sign_in: SignIn) -> Patient:
    patient = services.add_patient(
        actor=ACTOR,
        organisation=organisation,
        given_name="Jamie",
        family_name="Moreno",
        born_on=date(1991, 4, 12),
    )
    now = timezone.now()
    issued = services.issue_enrolment_code(actor=ACTOR, patient_id=patient.pk, now=now)
    services.enrol(
        code=issued.code,
        email=sign_in.email,
        password=sign_in.password,
        born_on=date(1991, 4, 12),
        language="en",
        address="127.0.0.1",
        request_id="",
        now=now,
    )
    Patient.objects.filter(pk=patient.pk).update(enrolled_at=now - timedelta(days=120))
    patient.refresh_from_db()
    return patient
