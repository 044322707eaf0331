"""How the sweep over everyone grows: CPU a patient at each size, and what the process ever held.

Simulated people with their packed windows and no check-ins: a sweep reads check-ins only of those
whose window does not count, and those come a few hundred at a time. Has no rival and no floor;
the goal is time that grows as the patients do, and less than a GiB at a million.
"""

from __future__ import annotations

import bench.environment  # noqa: F401 - loads Django, so it comes first

# isort: split
import json
import os
import resource
from datetime import UTC, datetime
from math import ceil
from typing import Any

import numpy as np
import psycopg

from backend.accounts.demo import ACTOR
from backend.accounts.models import Organisation
from backend.accounts.services import add_organisation
from backend.tracking.adopted_limits import limits_in_use
from backend.tracking.packing import encode
from backend.tracking.simulation import Scenario, simulate
from backend.tracking.windows import COLUMNS, WINDOW_DAYS
from bench.caseload import server_tree
from bench.measure import Cost, measure, middle
from bench.options import parse_size
from bench.sweep import our_sweep
from bench.tables import ORGANISATIONS, PATIENTS, PATIENTS_OF_AN_ORGANISATION

SIZES, FULL_SIZES = (10_000, 20_000, 40_000), (250_000, 500_000, 1_000_000)
DIFFERENT_WINDOWS = 2_000
SEED = 7
_WINDOWS = """
INSERT INTO tracking_packedwindow (patient_id, last_on, days, ruleset)
SELECT p.id, %(today)s, drawn.days, %(ruleset)s
  FROM accounts_patient p
  JOIN drawn ON drawn.n = split_part(p.external_ref, '-', 2)::int %% %(different)s
 WHERE split_part(p.external_ref, '-', 2)::int BETWEEN %(first)s AND %(people)s
"""


def fill(
    connection: psycopg.Connection, organisation: Organisation, first: int, people: int
) -> None:
    """The patients numbered `first` to `people`, each with a window that counts."""
    facts = {
        "organisation": organisation.pk,
        "organisations": ceil(FULL_SIZES[-1] / PATIENTS_OF_AN_ORGANISATION),
        "first": first,
        "people": people,
        "today": datetime.now(UTC).date(),
        "ruleset": limits_in_use({organisation.pk})[organisation.pk].ruleset,
        "different": DIFFERENT_WINDOWS,
    }
    if first == 1:
        connection.execute(ORGANISATIONS, facts)
        draw_windows(connection)
    connection.execute(PATIENTS, facts)
    connection.execute(_WINDOWS, facts)
    connection.execute("VACUUM ANALYZE accounts_patient, tracking_packedwindow")


def draw_windows(connection: psycopg.Connection) -> None:
    """Windows of simulated people without any decline, as the table `drawn`."""
    nothing = Scenario(size=0, signals=len(COLUMNS))
    cohort = simulate(
        nothing, people=DIFFERENT_WINDOWS, days=WINDOW_DAYS, rng=np.random.default_rng(SEED)
    )
    codes, is_exact = encode(
        {name: cohort.values[:, :, place] for place, name in enumerate(COLUMNS)}
    )
    assert is_exact.all()
    connection.execute("CREATE TEMPORARY TABLE drawn (n int, days bytea)")
    with connection.cursor().copy("COPY drawn FROM STDIN") as copy:
        for number, one in enumerate(codes):
            copy.write_row((number, one.tobytes()))
    connection.execute("ANALYZE drawn")


def run(*, sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Grows the table from size to size; at each the middle of `rounds` sweeps."""
    home = add_organisation(actor=ACTOR, name="Growth", country="US", time_zone="America/New_York")
    found: dict[str, Any] = {}
    filled = 0
    with psycopg.connect(os.environ["BENCH_SUPERUSER_URL"], autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for people in sizes:
            print(f"filling the table up to {people:,} patients ...", flush=True)
            fill(connection, home, filled + 1, people)
            filled = people
            costs = sweeps(people, rounds)
            found[str(people)] = {
                "us_a_patient": round(1000 * middle(costs).cpu_ms / people, 2),
                "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                **middle(costs).as_json(),
            }
    smallest, largest = found[str(sizes[0])], found[str(sizes[-1])]
    return {
        "floors": {},
        "sizes": found,
        "largest_to_smallest": round(largest["us_a_patient"] / smallest["us_a_patient"], 2),
        "peak_memory_mib": largest["peak_memory_mib"],
    }


def sweeps(people: int, rounds: int) -> list[Cost]:
    """Each over everyone. Raises SystemExit when it missed somebody."""
    server, now = server_tree(), datetime.now(UTC)

    def sweep() -> None:
        taken = our_sweep(now)
        if taken != people:
            raise SystemExit(f"{taken} of {people} patients were swept; nothing was measured.")

    sweep()  # stores what is new, so that those that are counted find nothing
    return [measure(sweep, server) for _ in range(rounds)]


def main() -> None:
    asked = parse_size(__doc__)
    figures = run(sizes=FULL_SIZES if asked.full else SIZES, rounds=asked.rounds)
    for people, cost in figures["sizes"].items():
        print(
            f"  {int(people):9,} patients: {cost['us_a_patient']:.1f} us CPU each,"
            f" the process at most {cost['peak_memory_mib']} MiB"
        )
    print(f"  a patient of the largest costs {figures['largest_to_smallest']} x the smallest's")
    asked.out.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
