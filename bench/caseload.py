"""The caseload page's data: 200 patients out of many, each with its reason and its last 30 days.

Ours is what the page and the API call; stock is a loop over the patients. Both give the same
lines in the same order, which is asserted first. The caseload's windows are packed beforehand, as
the worker leaves them a second after each check-in.
"""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.accounts.actor import Actor, Role
from backend.accounts.models import Clinician, Patient
from backend.dashboard.desk import Desk
from backend.dashboard.services import SPARK_DAYS, CaseloadRecord, read_caseload
from backend.row_security import Acting, acting_as
from backend.tracking.models import CheckIn, PackedWindow
from backend.tracking.packing_rows import pack_windows
from backend.tracking.windows import COLUMNS
from bench.measure import ProcessTree, in_turns, middle, parent_of, ratio
from bench.options import parse_size
from bench.stock.caseload import Line, caseload_page
from bench.tables import fill_caseload

ROWS, FULL_ROWS = 300_000, 5_000_000
FLOOR = 40
TIMES = {"stock": 1, "ours": 10}


def our_page(therapist: Clinician, *, now: datetime) -> CaseloadRecord:
    """The reads of the page, its audit row with them, and none of its drawing."""
    actor = Actor(user_id=therapist.user_id, role=Role.CLINICIAN)
    with acting_as(Acting(actor.role.value, actor.user_id)):
        return read_caseload(Desk(actor=actor, clinician=therapist, language="en", now=now))


def plain(page: CaseloadRecord) -> list[tuple[Any, ...]]:
    """Our page as values that can be compared."""
    row_of = {patient_id: row for row, patient_id in enumerate(page.windows.patient_ids)}
    return [
        (
            line.patient.pk, line.patient.given_name, line.trend, line.open_alerts,
            line.worst_severity, line.due_at, line.days_silent, line.reason,
            {name: _values(page.windows.raw[name][row_of[line.patient.pk]]) for name in COLUMNS},
        )
        for line in page.lines
    ]  # fmt: skip


def plain_stock(lines: list[Line]) -> list[tuple[Any, ...]]:
    """The stock page as values that can be compared."""
    return [
        (
            line.patient.pk, line.patient.given_name, line.trend, line.open_alerts,
            line.worst_severity, line.due_at, line.days_silent, line.reason, line.values,
        )
        for line in lines
    ]  # fmt: skip


def require_equal(ours: list[tuple[Any, ...]], stock: list[tuple[Any, ...]]) -> None:
    """Raises SystemExit, showing the first line that differs."""
    if len(ours) != len(stock):
        raise SystemExit(f"Ours has {len(ours)} lines, stock {len(stock)}; nothing was measured.")
    for here, there in zip(ours, stock, strict=True):
        if here != there:
            raise SystemExit(f"The answers differ:\n{here}\n{there}\nNothing was measured.")


def _values(days: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in days]


def server_tree() -> ProcessTree:
    """PostgreSQL, which runs on this machine: the parent of our own session's process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return ProcessTree(parent_of(int(cursor.fetchone()[0])))


def run(*, rows: int, rounds: int) -> dict[str, Any]:
    """Fills the tables, compares the answers, measures in turns; returns the figures."""
    print(f"filling the tables with about {rows:,} check-ins ...", flush=True)
    therapist = fill_caseload(rows=rows)
    pack_windows(list(Patient.objects.filter(care_team__isnull=False).values_list("pk", flat=True)))
    now = datetime.now(UTC)
    with CaptureQueriesContext(connection) as ours:
        page = our_page(therapist, now=now)
    with CaptureQueriesContext(connection) as stock:
        lines = caseload_page(therapist, language="en", now=now)
    require_equal(plain(page), plain_stock(lines))
    print(f"equal answers: {len(lines)} patients; measuring {rounds} rounds ...", flush=True)
    ways = {
        "stock": lambda: caseload_page(therapist, language="en", now=now),
        "ours": lambda: our_page(therapist, now=now),
    }
    costs = in_turns(ways, server_tree(), rounds=rounds, times=TIMES)
    return {
        **ratio(costs["stock"], costs["ours"]),
        "floor": FLOOR,
        "patients": len(lines),
        "check_ins": CheckIn.objects.count(),
        "days": SPARK_DAYS,
        "packed": PackedWindow.objects.count(),
        "queries": {"stock": len(stock), "ours": len(ours)},
        **{name: middle(of_way).as_json() for name, of_way in costs.items()},
        "rounds": {name: [cost.as_json() for cost in each] for name, each in costs.items()},
    }


def main() -> None:
    asked = parse_size(__doc__)
    figures = run(rows=FULL_ROWS if asked.full else ROWS, rounds=asked.rounds)
    for way in ("stock", "ours"):
        cost = figures[way]
        print(
            f"  {way:6} {cost['cpu_ms']:9.2f} ms CPU a page ({cost['client_ms']:.2f} here,"
            f" {cost['server_ms']:.2f} PostgreSQL), {figures['queries'][way]} queries"
        )
    asked.out.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
