"""Setting up an organisation and its staff."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit
from backend.accounts.access import not_found
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Administrator, Clinician, Organisation, User
from backend.accounts.places import refuse_unknown_places


def _account(*, email: str, password: str, role: Role, language: str) -> User:
    return User.objects.create(
        email=email.strip().lower(),
        password=make_password(password),
        role=role.value,
        language=language,
    )


@transaction.atomic
def add_organisation(
    *, actor: Actor, name: str, country: str, time_zone: str, language: str = "en"
) -> Organisation:
    """A new tenant, with office hours as its monitoring hours until it says otherwise."""
    organisation = Organisation.objects.create(
        name=name, country=country, time_zone=time_zone, language=language
    )
    audit.record(
        actor=actor,
        action="organisation.add",
        object_kind="organisation",
        object_id=organisation.pk,
    )
    return organisation


@transaction.atomic
def add_clinician(
    *,
    actor: Actor,
    organisation: Organisation,
    email: str,
    password: str,
    display_name: str,
    roles: Sequence[str],
    language: str = "en",
) -> Clinician:
    """A clinician with an account. `roles` are `ClinicianRole` values."""
    user = _account(email=email, password=password, role=Role.CLINICIAN, language=language)
    clinician = Clinician.objects.create(
        organisation=organisation, user=user, display_name=display_name, roles=list(roles)
    )
    audit.record(
        actor=actor, action="clinician.add", object_kind="clinician", object_id=clinician.pk
    )
    return clinician


@transaction.atomic
def add_administrator(
    *, actor: Actor, organisation: Organisation, email: str, password: str, language: str = "en"
) -> Administrator:
    """An account that runs the organisation's enrolments and sees nothing clinical."""
    user = _account(email=email, password=password, role=Role.ADMINISTRATOR, language=language)
    administrator = Administrator.objects.create(user=user, organisation=organisation)
    audit.record(actor=actor, action="administrator.add", object_kind="user", object_id=user.pk)
    return administrator


@transaction.atomic
def set_up_organisation(
    *, actor: Actor, name: str, country: str, time_zone: str, admin_email: str, password: str
) -> Organisation:
    """A new organisation with its first administrator.

    Raises `Invalid` for an unknown country or zone, and `Conflict` when an organisation of that
    name or an account with that address is there already; then nothing is stored.
    """
    refuse_unknown_places(country=country, time_zone=time_zone)
    if Organisation.objects.filter(name__iexact=name.strip()).exists():
        raise errors.Conflict("known_name", _("There is an organisation of this name already."))
    organisation = add_organisation(
        actor=actor, name=name.strip(), country=country, time_zone=time_zone
    )
    try:
        with transaction.atomic():
            add_administrator(
                actor=actor, organisation=organisation, email=admin_email, password=password
            )
    except IntegrityError:
        raise errors.Conflict(
            "address_unavailable", _("Please use another e-mail address.")
        ) from None
    return organisation


@transaction.atomic
def set_privacy_officer(*, actor: Actor, email: str, is_officer: bool) -> Administrator:
    """Says that an administrator is, or is no more, who reviews emergency access.

    Raises `NotFound` for an address that is no administrator's.
    """
    rows = Administrator.objects.select_for_update().filter(user__email=email.strip().lower())
    administrator = rows.first()
    if administrator is None:
        raise not_found()
    administrator.is_privacy_officer = is_officer
    administrator.save(update_fields=["is_privacy_officer"])
    audit.record(
        actor=actor,
        action="privacy_officer.set" if is_officer else "privacy_officer.end",
        object_kind="user",
        object_id=administrator.pk,
    )
    return administrator
