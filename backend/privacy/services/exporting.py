"""A patient takes everything of theirs along: made by the worker, kept sealed, fetched once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts import audit, patient_keys, rate_limits
from backend.accounts.access import access_own_patient, not_found
from backend.accounts.actor import Actor, Role
from backend.accounts.models import Patient
from backend.accounts.tokens import hash_token
from backend.privacy.archive import build_archive
from backend.privacy.models import Export
from backend.queue import Job, enqueue_on_commit
from backend.row_security import acting_as_system
from backend.sealing import UnreadableError

logger = structlog.get_logger(__name__)

ACTOR = Actor.system("make_exports")
MOST = 5
_PLACE = (Export._meta.db_table, "content")


@dataclass(frozen=True, slots=True)
class AskedExport:
    """`link` is there once: it opens the export once, until `export.link_expires_at`."""

    export: Export
    is_new: bool = False
    link: UUID | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FetchedExport:
    """A ZIP."""

    content: bytes = field(repr=False)
    made_at: datetime


def request_export(*, actor: Actor, export_id: UUID, now: datetime) -> AskedExport:
    """Asks for everything of one's own. The same id again changes nothing.

    Raises `Forbidden`, `Conflict` when the id is somebody else's, `RateLimited`.
    """
    access_own_patient(actor)
    rate_limits.spend(rate_limits.EXPORTS_BY_PATIENT, str(actor.user_id), now=now)
    with transaction.atomic():
        patient = access_own_patient(actor, lock=True)
        known = Export.objects.filter(pk=export_id).first()
        if known is not None and known.patient_id != patient.pk:
            raise errors.Conflict("id_in_use", _("This id belongs to something else."))
        if known is not None:
            return AskedExport(known)
        language = patient.user.language if patient.user else "en"
        try:
            made, is_new = Export.objects.get_or_create(
                pk=export_id,
                defaults={"patient": patient, "language": language, "requested_at": now},
            )
        except IntegrityError:  # somebody else's is not even shown
            raise errors.Conflict("id_in_use", _("This id belongs to something else.")) from None
        if made.patient_id != patient.pk:
            raise errors.Conflict("id_in_use", _("This id belongs to something else."))
        _audit(actor, "export.request", made)
        enqueue_on_commit(Job.MAKE_EXPORTS)
        return AskedExport(made, is_new=is_new)


@transaction.atomic
def read_export(*, actor: Actor, export_id: UUID, now: datetime) -> AskedExport:
    """How far it is. The first time that it is ready, with the link. Raises `NotFound`."""
    patient = access_own_patient(actor)
    rows = Export.objects.defer("content").select_for_update(no_key=True)
    export = rows.filter(pk=export_id, patient=patient).first()
    if export is None:
        raise not_found()
    is_there = export.ready_at is not None and export.deleted_at is None
    if not is_there or export.link_hash is not None or _is_over(export, now):
        return AskedExport(export)
    link = uuid4()  # 122 random bits
    export.link_hash, export.link_expires_at = hash_token(str(link)), now + Export.LINK_LIFE
    export.save(update_fields=["link_hash", "link_expires_at"])
    _audit(actor, "export.link", export)
    return AskedExport(export, link=link)


@acting_as_system("export.fetch")  # the link alone says whose it is
@transaction.atomic
def fetch_export(*, link: UUID, request_id: str, now: datetime) -> FetchedExport:
    """What the link opens, once; nothing of it is kept after that.

    Raises `NotFound` for a link of nobody's and `Gone` for one that was used or is too old.
    """
    rows = Export.objects.select_for_update(of=("self",), no_key=True).select_related("patient")
    export = rows.filter(link_hash=hash_token(str(link))).first()
    if export is None:
        raise not_found()
    assert export.link_expires_at is not None and export.ready_at is not None
    if export.deleted_at is not None or export.link_expires_at <= now or _is_over(export, now):
        raise errors.Gone("export_gone", _("This link was used or is too old. Ask for a new one."))
    content = patient_keys.unseal_bytes(
        export.patient_id, *_PLACE, export.pk, bytes(export.content)
    )
    Export.objects.filter(pk=export.pk).update(fetched_at=now, deleted_at=now, content=b"")
    actor = Actor(user_id=export.patient.user_id, role=Role.PATIENT, request_id=request_id)
    _audit(actor, "export.fetch", export)
    return FetchedExport(content=content, made_at=export.ready_at)


# The worker's part -----------------------------------------------------------------------------


def make_exports(*, now: datetime) -> int:
    """Makes what was asked for and deletes what nobody fetched within a day; returns how many."""
    pending = Export.objects.filter(ready_at__isnull=True).order_by("requested_at")
    count = 0
    for pk in pending.values_list("pk", flat=True)[:MOST]:
        try:
            count += _make(pk, now=now)
        except (DatabaseError, UnreadableError) as error:
            logger.error("export_failed", exc_info=error)
    return count + _delete_old(now=now)


@transaction.atomic
def _make(export_id: UUID, *, now: datetime) -> bool:
    """Once, whoever is at it: others pass over the row meanwhile."""
    # The patient first, as an erasure does, which waits for this and takes it away with the rest.
    patients = Patient.objects.select_for_update(of=("self",), no_key=True)
    patient = patients.filter(exports__pk=export_id).first()
    rows = Export.objects.select_for_update(skip_locked=True).filter(ready_at__isnull=True)
    export = rows.filter(pk=export_id).first()
    if export is None or patient is None:
        return False
    content = build_archive(patient, now=now, language=export.language)
    export.content = patient_keys.seal_bytes(patient.pk, *_PLACE, export.pk, content)
    export.size, export.ready_at, export.expires_at = len(content), now, now + Export.LIFE
    export.save(update_fields=["content", "size", "ready_at", "expires_at"])
    _audit(ACTOR, "export.make", export)
    return True


def _delete_old(*, now: datetime) -> int:
    old = Export.objects.filter(deleted_at__isnull=True, expires_at__lte=now)
    return old.update(content=b"", deleted_at=now)


def _is_over(export: Export, now: datetime) -> bool:
    return export.expires_at is not None and export.expires_at <= now


def _audit(actor: Actor, action: str, export: Export) -> None:
    audit.record(
        actor=actor,
        action=action,
        patient_id=export.patient_id,
        object_kind="export",
        object_id=export.pk,
    )
