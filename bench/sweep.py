"""The sweep over everyone: each one's last 90 days read, compared, and judged where they changed.

Ours is the product's own sweep, range by range: most people are as they were at the last one, and
for them reading and comparing is all. Stock is an ORM loop over the patients that judges each with
the same arithmetic; the limit is a bare COPY of the same rows, judged by nobody. Beside them stands
what ours costs when everyone has to be judged anew, as after a change of rules: `anew`. That it
finds the same as stock is asserted first. Costs are a patient's: stock runs over a sample.
"""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import json
import os
import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from backend.accounts.models import Patient
from backend.aftercare.services.sweeping import CHUNK_PEOPLE, sweep_range
from backend.tracking.everyone import people_of
from backend.tracking.judging import judge
from backend.tracking.models import CheckIn
from backend.tracking.sweeping import RANGES, ends_of
from backend.tracking.trends import TRENDS, Tier
from backend.tracking.windows import COLUMNS, Windows, latest_days, load_windows
from bench.caseload import server_tree
from bench.measure import Cost, in_turns, middle
from bench.options import parse_size
from bench.stock import sweep as stock
from bench.tables import fill_caseload

ROWS, FULL_ROWS = 500_000, 6_300_000
SAMPLE = 200
FLOORS = {"stock": 50, "copy": 0.5}
_COPY = (
    f"COPY (SELECT patient_id, local_date, {', '.join(COLUMNS)} FROM tracking_checkin"
    " WHERE kind = 'daily' AND withdrawn_at IS NULL) TO STDOUT (FORMAT BINARY)"
)


def judge_anew(ranges: range = range(RANGES)) -> dict[object, stock.Found]:
    """Everyone read and judged, a chunk at a time, as a sweep does whose rules are new."""
    found: dict[object, stock.Found] = {}
    for windows in _windows(ranges):
        judged = judge(windows)
        trends = judged.trends()
        nudged, flagged = judged.above(Tier.NUDGE), judged.above(Tier.FLAG)
        for row, patient_id in enumerate(judged.windows.patient_ids):
            found[patient_id] = stock.Found(
                TRENDS[int(trends[row])].value, bool(nudged[row]), bool(flagged[row])
            )
    return found


def _windows(ranges: range) -> Iterator[Windows]:
    """A chunk at a time, whatever the ranges hold: as few arrays as a sweep of many would have."""
    first, last = ends_of(ranges[0])[0], ends_of(ranges[-1])[1]
    while people := people_of(first, last, limit=CHUNK_PEOPLE):
        if len(people.packed):
            yield people.windows(people.packed)
        if others := people.others():
            yield load_windows(latest_days(others))
        first = UUID(int=people.ids[-1].int + 1)


def our_sweep(now: datetime) -> int:
    """The product's own, range by range."""
    return sum(sweep_range(*ends_of(number), now=now) for number in range(RANGES))


def bare_copy() -> int:
    """The same rows through PostgreSQL's fastest door, thrown away."""
    with (
        psycopg.connect(os.environ["BENCH_SUPERUSER_URL"]) as other,
        other.cursor().copy(_COPY.encode()) as copy,
    ):
        return sum(len(block) for block in copy)


def require_equal(ours: dict[object, stock.Found], theirs: dict[object, stock.Found]) -> None:
    """Raises SystemExit, showing the first patient on whom the two ways differ."""
    for patient_id, found in theirs.items():
        if ours.get(patient_id) != found:
            raise SystemExit(f"The answers differ: {ours.get(patient_id)} and {found}.")


def per_patient(costs: list[Cost], people: int) -> list[float]:
    """Milliseconds of CPU a patient, round by round."""
    return [cost.cpu_ms / people for cost in costs]


def run(*, rows: int, rounds: int) -> dict[str, Any]:
    """Fills the tables, compares the answers, measures in turns; returns the figures."""
    print(f"filling the tables with about {rows:,} check-ins ...", flush=True)
    fill_caseload(rows=rows)
    now = datetime.now(UTC)
    everyone = Patient.objects.count()
    sample = list(Patient.objects.order_by("pk")[:: max(everyone // SAMPLE, 1)][:SAMPLE])
    require_equal(judge_anew(), stock.sweep(sample))
    print(f"equal answers; {everyone:,} patients, {rounds} rounds ...", flush=True)
    our_sweep(now)  # stores what is new, so that those that are counted find nothing
    ways: dict[str, Callable[[], object]] = {
        "stock": lambda: stock.sweep(sample),
        "ours": lambda: our_sweep(now),
        "anew": judge_anew,
        "anew_half": lambda: judge_anew(range(RANGES // 2)),
        "copy": bare_copy,
    }
    costs = in_turns(ways, server_tree(), rounds=rounds, times=dict.fromkeys(ways, 1))
    people = dict.fromkeys(ways, everyone) | {"stock": len(sample), "anew_half": everyone // 2}
    each = {name: per_patient(costs[name], people[name]) for name in ways}
    ratios = {
        f"vs_{against}": _middle_ratio(each[against], each["ours"]) for against in ("stock", "copy")
    }
    anew = {
        f"anew_vs_{against}": _middle_ratio(each[against], each["anew"])
        for against in ("stock", "copy")
    }
    return {
        **ratios,
        **anew,
        "floor": FLOORS["stock"],
        "floors": FLOORS,
        "patients": everyone,
        "check_ins": CheckIn.objects.count(),
        "days": stock.DAYS,
        "signals": len(COLUMNS),
        "time_of_all_to_half": round(
            middle(costs["anew"]).cpu_ms / middle(costs["anew_half"]).cpu_ms, 2
        ),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "patients_per_cpu_s": {
            name: round(1000 / sorted(ms)[len(ms) // 2], 1) for name, ms in each.items()
        },
        **{name: middle(of_way).as_json() for name, of_way in costs.items()},
        "rounds": {name: [cost.as_json() for cost in some] for name, some in costs.items()},
    }


def _middle_ratio(there: list[float], here: list[float]) -> float:
    ratios = sorted(a / b for a, b in zip(there, here, strict=True))
    return round(ratios[len(ratios) // 2], 2)


def main() -> None:
    asked = parse_size(__doc__)
    figures = run(rows=FULL_ROWS if asked.full else ROWS, rounds=asked.rounds)
    for way, speed in figures["patients_per_cpu_s"].items():
        cost = figures[way]
        print(
            f"  {way:9} {speed:9.0f} patients a CPU second"
            f" ({cost['client_ms']:.0f} ms here, {cost['server_ms']:.0f} ms PostgreSQL)"
        )
    print(
        f"  everyone anew: {figures['anew_vs_stock']} x stock, {figures['anew_vs_copy']} x copy;"
        f" all takes {figures['time_of_all_to_half']} x half;"
        f" peak memory {figures['peak_memory_mib']} MiB"
    )
    asked.out.write_text(json.dumps(figures))
    connection.close()


if __name__ == "__main__":
    main()
