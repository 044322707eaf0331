"""A new normal: from which day on a patient's days count towards their usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.rows import array_of
from backend.tracking.models import BaselineStart
from backend.tracking.services import request_assessment
from backend.tracking.windows import COLUMNS, Windows


def find_baseline_start(start_id: UUID) -> BaselineStart | None:
    """By the app's id, whoever's it is. Only for deciding about a replay."""
    return BaselineStart.objects.filter(pk=start_id).first()


def baseline_starts_of(patient_id: UUID) -> list[BaselineStart]:
    """All that were ever set for this patient, the one that holds first."""
    rows = BaselineStart.objects.filter(patient_id=patient_id)
    return list(rows.select_related("set_by__clinician").order_by("-set_at"))


def standing_starts(patient_ids: Sequence[UUID]) -> dict[UUID, date]:
    """The day that holds for each of these patients; who never got one is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (patient_id) patient_id, from_on FROM tracking_baselinestart"
            " WHERE patient_id = ANY(%s::uuid[]) ORDER BY patient_id, set_at DESC",
            [array_of(patient_ids)],
        )
        return dict(cursor.fetchall())


def first_counted(windows: Windows, starts: Mapping[UUID, date]) -> NDArray[np.int64]:
    """For each row of the windows the first day (its index) that counts; 0 where all do.

    A row as of a day before the new normal began knows nothing of it.
    """
    days = windows.raw[COLUMNS[0]].shape[1]
    first = np.zeros(len(windows.patient_ids), dtype=np.int64)
    if starts:
        for row, (patient_id, as_of) in enumerate(
            zip(windows.patient_ids, windows.as_of, strict=True)
        ):
            start = starts.get(patient_id)
            if start is not None and start <= as_of:
                first[row] = max(days - 1 - (as_of - start).days, 0)
    return first


def store_baseline_start(
    *, actor: Actor, patient_id: UUID, start_id: UUID, from_on: date, reason: str, now: datetime
) -> BaselineStart:
    """Stores it with its audit row and asks for a new evaluation.

    Runs in the caller's transaction, under the patient's lock. Raises IntegrityError for an id
    that is taken.
    """
    assert actor.user_id is not None
    start = BaselineStart(
        id=start_id,
        patient_id=patient_id,
        from_on=from_on,
        reason=reason,
        set_at=now,
        set_by_id=actor.user_id,
    )
    start.save(force_insert=True)
    audit.record(
        actor=actor,
        action="baseline.set",
        patient_id=patient_id,
        object_kind="baseline_start",
        object_id=start.pk,
    )
    request_assessment(patient_id=patient_id, since=from_on, now=now)
    return start
