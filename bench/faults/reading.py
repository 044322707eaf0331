"""What stands in the database after a run, read past every role, and how long things took."""

from __future__ import annotations

import runpy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.faults import naming
from bench.faults.fcm import Accepted
from bench.faults.house import House
from bench.faults.judge import Exempt, Rows, StoredCheckIn, Tie, Verdict, judge
from bench.faults.ledger import URGENT, Sent
from bench.faults.phones import Phones

_TIES = """
SELECT COALESCE(e.check_in_id, r.client_id), COALESCE(e.check_in_id, r.id), e.alert_id, e.round
  FROM aftercare_alertevidence e
  LEFT JOIN aftercare_acutereport r ON r.id = e.acute_report_id
"""
_UNSENT = (
    "SELECT count(*) FROM notifications_notification WHERE settled_at IS NULL AND priority = 0"
)
_UNASSESSED = "SELECT count(*) FROM tracking_assessmentrequest"
_LONGEST_ATTEMPT = """
SELECT COALESCE(max(extract(epoch FROM ended_at - started_at)), 0)
  FROM notifications_deliveryattempt
"""


def drain(house: House, phones: Phones, *, within: float, assessed: bool = True) -> None:
    """Waits until everything is acknowledged, sent and assessed, or the time is over.

    What nobody has assessed yet counts only when it is asked for: after a crash the lease on an
    assessment, which nobody waits for, lasts a minute.
    """
    queries = (_UNSENT, *((_UNASSESSED,) if assessed else ()))
    house.keeper.wait_until(
        lambda: phones.left == 0 and all(house.number(query) == 0 for query in queries),
        within=within,
    )


def rows_of(house: House, *, assessed: bool = True) -> Rows:
    """Everything that the judgement rests on."""
    with house.sql() as connection:

        def read(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode()).fetchall()

        check_ins = read("SELECT id, patient_id, recorded_at, received_at FROM tracking_checkin")
        unbound = read("SELECT push_target FROM accounts_device WHERE unbound_at IS NOT NULL")
        ((unassessed,),) = read(_UNASSESSED)
        return Rows(
            check_ins=[StoredCheckIn(*row) for row in check_ins],
            ties=[Tie(*row) for row in read(_TIES)],
            notifications=dict(read("SELECT key, id FROM notifications_notification")),
            unbound_targets=frozenset(target for (target,) in unbound),
            unassessed=unassessed if assessed else 0,
        )


def verdict_on(
    house: House, phones: Phones, *, exempt: Exempt | None = None, assessed: bool = True
) -> Verdict:
    """The judgement on one run, with its figures."""
    people = house.ground.people
    rows, inbox = rows_of(house, assessed=assessed), house.fcm.accepted()
    verdict = judge(
        ledger=phones.ledger,
        rows=rows,
        inbox=inbox,
        phones_of={n: naming.living_targets(n) for n in range(1, people + 1)},
        dead_targets=naming.dead_targets(people),
        exempt=exempt,
    )
    broken = broken_invariants(house) if assessed else {}
    verdict.count("invariants_broken", (n for n, count in broken.items() for _ in range(count)))
    verdict.figures |= {
        "check_ins": len(phones.ledger),
        "pushes_accepted": len(inbox),
        **{f"answers_{status}": count for status, count in sorted(phones.answers.items())},
        **latencies(phones, rows, inbox),
        "longest_send_s": round(_longest(house), 3),
    }
    return verdict


def broken_invariants(house: House) -> dict[str, int]:
    """What the reconciler of this copy would count now; 0 of each when all is well."""
    path = house.tree / "backend" / "operations" / "invariants.py"
    if not path.exists():
        return {}
    invariants: Mapping[str, str] = runpy.run_path(str(path))["INVARIANTS"]
    now = {"now": datetime.now(UTC)}
    return {name: house.number(statement, now) for name, statement in invariants.items()}


def _longest(house: House) -> float:
    with house.sql() as connection:
        row = connection.execute(_LONGEST_ATTEMPT.encode()).fetchone()
    assert row is not None
    return float(row[0])


def latencies(phones: Phones, rows: Rows, inbox: Sequence[Accepted]) -> dict[str, float | None]:
    """Percentiles: of an answered POST in ms; in seconds from a phone's first try, and from the
    moment the server took the check-in up, to FCM's acceptance on the first phone."""
    posts = [took for _began, took in phones.posts_s]
    accepted: dict[str, float] = {}
    for one in inbox:
        accepted.setdefault(one.notification_id, one.at)
    received = {row.id: row.received_at.timestamp() for row in rows.check_ins}
    from_phone, from_server = [], []
    for sent in phones.ledger:
        at = _pushed_at(sent, rows, accepted)
        if at is not None and sent.id in received:
            from_phone.append(at - sent.first_try_at)
            from_server.append(at - received[sent.id])
    return {
        **{f"post_ms_p{int(100 * p)}": _milli(percentile(posts, p)) for p in (0.5, 0.95, 0.99)},
        **{f"push_s_p{int(100 * p)}": percentile(from_phone, p) for p in (0.5, 0.95, 0.99)},
        **{
            f"push_from_commit_s_p{int(100 * p)}": percentile(from_server, p)
            for p in (0.5, 0.95, 0.99)
        },
    }


def _pushed_at(sent: Sent, rows: Rows, accepted: dict[str, float]) -> float | None:
    """When FCM accepted the person's own push; None for one that a refusal had told of before."""
    if sent.severity not in URGENT:
        return None
    name = rows.notifications.get(f"support:{sent.id}:{sent.severity}")
    return accepted.get(str(name))


def percentile(values: Sequence[float], share: float) -> float | None:
    """By rank; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 4)


def _milli(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
