"""Whatever a patient, a clinician and the worker do, in any order: what counts is what the rows
say, and a sweep that reads packed windows finds what one without any would."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db import transaction

from backend.accounts.actor import Actor
from backend.aftercare.services import assess_due, assess_history
from backend.aftercare.services.sweeping import sweep_range
from backend.intake import changing
from backend.intake.services import receive_imported
from backend.tracking.adopted_limits import adopt_limits
from backend.tracking.assessing import claim_requests
from backend.tracking.baselines import store_baseline_start
from backend.tracking.everyone import people_of
from backend.tracking.models import CheckIn, PackedWindow
from backend.tracking.packing_rows import differing, pack_windows
from backend.tracking.reports import CheckInReport
from backend.tracking.sweeping import RANGES, ends_of
from backend.tracking.trends import shipped_limits
from backend.tracking.windows import COLUMNS, WINDOW_DAYS, latest_days, load_windows
from tests.aftercare.reporting import report
from tests.people import People, actor_for

EVERYONE = (ends_of(0)[0], ends_of(RANGES - 1)[1])
FIRST = date(2025, 12, 1)
SYSTEM = Actor.system("test")
STEPS = 40


class Walk:
    """One patient's months, an act at a time. Every act moves the clock on."""

    def __init__(self, people: People, seed: int) -> None:
        self.people, self.chance, self.day = people, random.Random(seed), 0
        self.patient_id: UUID = people.patient.pk
        for _ in range(3):
            self.new_day()

    @property
    def now(self) -> datetime:
        return datetime.combine(FIRST, time(20), tzinfo=UTC) + timedelta(days=self.day)

    def items(self) -> dict[str, Any]:
        given: dict[str, Any] = {
            name: self.chance.randint(0, 5) for name in COLUMNS if self.chance.random() < 0.7
        }
        if "sleep_hours" in given:
            given["sleep_hours"] = Decimal(self.chance.randint(0, 48)) / 4
        return given

    def new_day(self) -> None:
        self.day += self.chance.choice([1, 1, 1, 2, 30])
        report(self.people, now=self.now, **self.items())

    def late_day(self) -> None:
        ago = timedelta(days=self.chance.randint(1, 5))
        items = {"local_date": (self.now - ago).date(), "recorded_at": self.now - ago}
        report(self.people, now=self.now, **items, **self.items())

    def standing(self) -> CheckIn | None:
        rows = CheckIn.objects.filter(patient_id=self.patient_id, withdrawn_at=None, source="app")
        found = list(rows.order_by("recorded_at", "pk"))
        return self.chance.choice(found) if found else None

    def amend(self) -> None:
        if (row := self.standing()) is not None:
            changes = {"mood": self.chance.randint(0, 10)}
            actor = actor_for(self.people.patient_user)
            changing.amend(
                actor=actor, check_in_id=row.pk, base_revision=row.revision, changes=changes,
                now=self.now,
            )  # fmt: skip

    def withdraw(self) -> None:
        if (row := self.standing()) is not None:
            actor = actor_for(self.people.patient_user)
            changing.withdraw(actor=actor, check_in_id=row.pk, now=self.now)

    @transaction.atomic
    def bring_in(self) -> None:
        start = (self.now - timedelta(days=self.chance.randint(3, 100))).date()
        reports = [
            CheckInReport(
                id=uuid4(), kind="daily", local_date=start + timedelta(days=n),
                recorded_at=self.now - timedelta(days=200 - n), time_zone="UTC",
                mood=self.chance.randint(0, 10),
            )
            for n in range(3)
        ]  # fmt: skip
        receive_imported(actor=SYSTEM, patient_id=self.patient_id, reports=reports, now=self.now)
        assess_history(actor=SYSTEM, patient=self.people.patient, now=self.now)

    @transaction.atomic
    def new_normal(self) -> None:
        from_on = (self.now - timedelta(days=self.chance.randint(0, 20))).date()
        store_baseline_start(
            actor=actor_for(self.people.therapist.user), patient_id=self.patient_id,
            start_id=uuid4(), from_on=from_on, reason="New medication.", now=self.now,
        )  # fmt: skip

    def new_limits(self) -> None:
        limits, more = shipped_limits(), self.chance.random()
        document = {
            "provenance": {},
            "loads": limits.loads.tolist(),
            "by_signals": (limits.by_signals + more).tolist(),
        }
        adopt_limits(
            actor=SYSTEM, organisation_id=self.people.organisation.pk, document=document,
            adopted_by="Sam", reason="Ours.", review_on=date(2027, 1, 1), now=self.now,
        )  # fmt: skip

    def worker(self) -> None:
        assess_due(now=self.now)

    def worker_dies(self) -> None:
        claim_requests(now=self.now)
        self.day += 1  # the lease is long over when the next one comes

    def sweep(self) -> None:
        sweep_range(*EVERYONE, now=self.now)

    def rebuild(self) -> None:
        pack_windows([self.patient_id])

    def acts(self) -> list[Callable[[], None]]:
        rare = [self.bring_in, self.new_normal, self.new_limits, self.worker_dies, self.rebuild]
        often = [self.new_day, self.late_day, self.amend, self.withdraw, self.worker, self.sweep]
        return [*rare, *often, *often, *[self.worker] * 4]


def counted(patient_id: UUID) -> tuple[date, dict[str, list[float]]] | None:
    people = people_of(*EVERYONE, limit=100)
    row = people.ids.index(patient_id)
    if people.rulesets[row] is None:
        return None
    windows = people.windows([row])
    return windows.as_of[0], {name: windows.raw[name][0].tolist() for name in COLUMNS}


def from_rows(patient_id: UUID) -> tuple[date, dict[str, list[float]]]:
    """A plain loop over what stands."""
    rows = CheckIn.objects.filter(patient_id=patient_id, kind="daily", withdrawn_at=None)
    end = rows.latest("local_date").local_date
    raw = {name: [float("nan")] * WINDOW_DAYS for name in COLUMNS}
    for row in rows.order_by("recorded_at", "received_at"):
        place = WINDOW_DAYS - 1 - (end - row.local_date).days
        for name in COLUMNS:
            value = getattr(row, name)
            if place >= 0:
                raw[name][place] = float("nan") if value is None else float(value)
    return end, raw


@pytest.mark.parametrize("seed", range(4))
def test_what_counts_is_what_the_rows_say_after_every_act(people: People, seed: int) -> None:
    walk, seen = Walk(people, seed), 0
    for _ in range(STEPS):
        act = walk.chance.choice(walk.acts())
        act()
        found = counted(walk.patient_id)
        if found is not None:
            seen += 1
            end, raw = from_rows(walk.patient_id)
            assert found[0] == end, act
            for name in COLUMNS:
                np.testing.assert_array_equal(found[1][name], raw[name], err_msg=act.__name__)
    assert differing([walk.patient_id]) == []
    assert seen > STEPS // 8
    walk.worker()
    walk.sweep()
    kept = PackedWindow.objects.get(patient_id=walk.patient_id)
    windows = load_windows(latest_days([walk.patient_id]))
    assert kept.last_on == windows.as_of[0]
