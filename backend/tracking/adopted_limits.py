"""The limits of an organisation: those that ship, until it takes over its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from backend.accounts import audit
from backend.accounts.actor import Actor
from backend.tracking.models import AdoptedLimits
from backend.tracking.trends import RULESET, SIGNALS, Limits, parse_limits, shipped_limits


@dataclass(frozen=True, slots=True)
class LimitsInUse:
    """What an organisation's patients are held against, and the name stored with each result."""

    limits: Limits
    ruleset: str = RULESET


def limits_in_use(organisation_ids: set[UUID]) -> dict[UUID, LimitsInUse]:
    """For each of these organisations the limits adopted last, or those that ship."""
    rows = (
        AdoptedLimits.objects.filter(organisation_id__in=organisation_ids)
        .order_by("organisation_id", "-adopted_at")
        .distinct("organisation_id")
    )
    adopted = {row.organisation_id: row.document for row in rows}
    shipped = LimitsInUse(shipped_limits())
    return {
        organisation_id: _of(adopted[organisation_id]) if organisation_id in adopted else shipped
        for organisation_id in organisation_ids
    }


def ruleset_of(document: Mapping[str, Any]) -> str:
    """The rules with these limits: the same figures have the same name."""
    figures = {name: document[name] for name in ("loads", "by_signals")}
    encoded = msgspec.json.encode(figures, order="deterministic")
    return f"{RULESET}+{hashlib.sha256(encoded).hexdigest()[:8]}"


class NotLimits(ValueError):
    """A document that no limits can be read from, or another organisation's."""


def require_limits(document: Any, *, organisation_id: UUID) -> None:
    """Raises `NotLimits` unless these may be this organisation's limits."""
    try:
        limits = parse_limits(document)
        shape = limits.by_signals.shape
        rising = np.all(np.diff(limits.loads) > 0) and np.all(limits.loads > 0)
        falling = np.all(np.diff(limits.by_signals, axis=1) <= 0)
        fitted_on = limits.provenance["organisation_id"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotLimits("this is not a file of limits") from None
    if shape != (len(SIGNALS), len(limits.loads)) or not np.isfinite(limits.by_signals).all():
        raise NotLimits("a row a number of signals and a column a load are needed")
    if not (rising and falling):
        raise NotLimits("loads rise and limits fall along a row")
    if fitted_on != str(organisation_id):
        raise NotLimits("these were fitted on another organisation's people")


def adopt_limits(
    *,
    actor: Actor,
    organisation_id: UUID,
    document: Mapping[str, Any],
    adopted_by: str,
    reason: str,
    review_on: date,
    now: datetime,
) -> AdoptedLimits:
    """Takes these limits over from now on; what was judged before keeps its rules."""
    adopted = AdoptedLimits.objects.create(
        organisation_id=organisation_id,
        document=dict(document),
        adopted_at=now,
        adopted_by=adopted_by,
        reason=reason,
        review_on=review_on,
    )
    audit.record(
        actor=actor,
        action="limits.adopt",
        object_kind="adopted_limits",
        object_id=adopted.pk,
        facts={"organisation_id": str(organisation_id), "ruleset": ruleset_of(document)},
    )
    return adopted


def _of(document: Mapping[str, Any]) -> LimitsInUse:
    return LimitsInUse(parse_limits(document), ruleset_of(document))
