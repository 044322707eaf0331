"""Claiming the requests that say "assess me", and storing what an evaluation found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.tracking.models import Assessment, AssessmentRequest
from backend.tracking.packing import Packed, keep_window

LEASE = timedelta(seconds=60)
BATCH = 200


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A leased request; `generation` says which check-ins it knew of."""

    patient_id: UUID
    generation: int
    lease_token: UUID


def claim_requests(*, now: datetime, limit: int = BATCH) -> list[ClaimedRequest]:
    """Leases up to `limit` requests, the oldest first. Two copies never get the same one."""
    token = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tracking_assessmentrequest SET lease_token = %s, lease_expires_at = %s,"
            " attempts = attempts + 1 WHERE patient_id IN ("
            "  SELECT patient_id FROM tracking_assessmentrequest"
            "  WHERE lease_expires_at IS NULL OR lease_expires_at < %s"
            "  ORDER BY requested_at LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING patient_id, generation",
            [token, now + LEASE, now, limit],
        )
        return [ClaimedRequest(row[0], row[1], token) for row in cursor.fetchall()]


def finish_request(claimed: ClaimedRequest, packed: Packed | None) -> None:
    """Clears the request, unless a newer check-in has asked again or the lease was lost.

    With the clearing the packed window is kept that was read after the request was claimed; None
    keeps none. Runs in a transaction, under the patient's lock.
    """
    rows = AssessmentRequest.objects.filter(
        patient_id=claimed.patient_id, lease_token=claimed.lease_token
    )
    deleted, _by_table = rows.filter(generation=claimed.generation).delete()
    if deleted:
        keep_window(claimed.patient_id, packed)
    else:
        rows.update(lease_token=None, lease_expires_at=None)


def store_assessment(
    *,
    actor: Actor,
    patient_id: UUID,
    as_of: date,
    facts: dict[str, Any],
    digest: bytes,
    now: datetime,
) -> Assessment:
    """A new dated row; the same input under the same rules as last time makes none."""
    latest = (
        Assessment.objects.filter(patient_id=patient_id, as_of_on=as_of)
        .order_by("-assessed_at")
        .first()
    )
    ruleset = facts["ruleset"]
    if latest and bytes(latest.input_digest) == digest and latest.ruleset == ruleset:
        return latest
    assessment = Assessment.objects.create(
        patient_id=patient_id,
        as_of_on=as_of,
        assessed_at=now,
        ruleset=ruleset,
        trend=facts["trend"],
        facts=facts,
        input_digest=digest,
    )
    audit.record(
        actor=actor,
        action="assessment.store",
        patient_id=patient_id,
        object_kind="assessment",
        object_id=assessment.pk,
        facts={"ruleset": ruleset},
    )
    return assessment
