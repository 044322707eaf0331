"""Many sweepers over many alerts: each level of each ladder once, none after an acknowledgment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.faults.copies import from_tree
from bench.faults.house import House
from bench.faults.judge import Verdict
from local import launch
from local.launch import Program

ACKNOWLEDGED_SHARE = 0.25
PASSES_WITHIN_S = 240.0
_SOME_OVERDUE = "SELECT count(*) FROM aftercare_alert WHERE level_due_at <= now()"
_LET_TIME_PASS = "UPDATE aftercare_alert SET level_due_at = now() WHERE status = 'open'"
_EXHAUSTED_OR_SEEN = """
SELECT count(*) FROM aftercare_alert a WHERE a.status = 'open'
   AND NOT EXISTS (SELECT FROM aftercare_alertact t WHERE t.alert_id = a.id
                    AND t.kind = 'exhausted')
"""
_TWICE = """
SELECT alert_id FROM aftercare_alertact WHERE kind IN ('escalated', 'exhausted')
 GROUP BY alert_id, kind, facts->>'round', facts->>'level' HAVING count(*) > 1
"""
_SKIPPED = """
SELECT a.id FROM aftercare_alert a, generate_series(1, jsonb_array_length(a.ladder) - 1) AS rung
 WHERE a.status = 'open' AND NOT EXISTS (
    SELECT FROM aftercare_alertact t WHERE t.alert_id = a.id AND t.kind = 'escalated'
       AND (t.facts->>'level')::int = rung)
"""
_UNTOLD = """
SELECT a.id FROM aftercare_alert a, generate_series(1, jsonb_array_length(a.ladder) - 1) AS rung,
       LATERAL jsonb_array_elements_text(a.ladder -> rung) AS who
 WHERE a.status = 'open' AND NOT EXISTS (
    SELECT FROM notifications_notification n
     WHERE n.key = 'alert:' || a.id || ':1:' || rung || ':' || who)
"""
_AFTER_SEEN = """
SELECT a.id FROM aftercare_alert a JOIN aftercare_alertact t ON t.alert_id = a.id
 WHERE a.status = 'acknowledged' AND t.kind IN ('escalated', 'exhausted')
   AND t.at > a.acknowledged_at
 UNION ALL
SELECT a.id FROM aftercare_alert a JOIN notifications_notification n
    ON n.subject = 'alert:' || a.id
 WHERE a.status = 'acknowledged' AND n.created_at > a.acknowledged_at
"""
_SEEN = "SELECT count(*) FROM aftercare_alert WHERE status = 'acknowledged'"


def sweep_alerts(house: House, *, alerts: int, sweepers: int) -> Verdict:
    """Lets the sweepers take every alert up its ladder while some of them are acknowledged."""
    house.hold("worker", "beat", "relay")
    settings = house.ground.settings(house.database)
    role = {"DATABASE_OWNER_URL": house.ground.url(house.database)}
    house.ground.run_module(
        "bench.faults.sweeping", "fill", str(alerts), settings=settings,
        more={**role, "HANDRAIL_DATABASE_ROLE": "owner"},
    )  # fmt: skip
    stop_file = house.logs / "stop-sweeping"
    running = [
        _start(_program(house, f"sweeper_{number}", "sweep", str(stop_file), role="worker"))
        for number in range(sweepers)
    ]
    share = str(ACKNOWLEDGED_SHARE)
    running.append(_start(_program(house, "acknowledger", "acknowledge", share, role="web")))
    try:
        house.keeper.wait_until(lambda: _go_on(house), within=PASSES_WITHIN_S)
        house.keeper.wait_until(lambda: running[-1][1].poll() is not None, within=60)
        stop_file.touch()
        house.keeper.wait_until(
            lambda: all(process.poll() is not None for _program, process in running), within=30
        )
        broken = [program.name for program, process in running if process.poll() != 0]
    finally:
        for program, process in running:
            launch.stop(process, program)
    return _judged(house, broken, alerts=alerts, sweepers=sweepers)


def _go_on(house: House) -> bool:
    """Whether all is over; lets the time of a level pass where nothing is overdue any more."""
    if house.number(_SOME_OVERDUE):
        return False
    if not house.number(_EXHAUSTED_OR_SEEN):
        return True
    with house.sql() as connection:
        connection.execute(_LET_TIME_PASS.encode())
    return False


def _judged(house: House, broken: list[str], **figures: int) -> Verdict:
    verdict = Verdict()
    verdict.count("sweepers_that_broke", broken)
    for name, query in (
        ("levels_told_twice", _TWICE),
        ("levels_skipped", _SKIPPED),
        ("recipients_not_told", _UNTOLD),
        ("told_after_acknowledgment", _AFTER_SEEN),
    ):
        with house.sql() as connection:
            found = connection.execute(query.encode()).fetchall()
        verdict.count(name, (row[0] for row in found))
    verdict.count("not_finished", range(max(house.number(_EXHAUSTED_OR_SEEN), 0)))
    verdict.figures |= {**figures, "acknowledged": house.number(_SEEN)}
    return verdict


def _program(house: House, name: str, command: str, argument: str, *, role: str) -> Program:
    settings = house.ground.settings(house.database)
    more: Mapping[str, Any] = {"HANDRAIL_DATABASE_ROLE": role}
    made = from_tree(settings.manage(name), house.tree, name=name, more=more)
    module = ("-m", "bench.faults.sweeping", command, argument)
    return replace(made, command=(made.command[0], *module))


def _start(program: Program) -> tuple[Program, subprocess.Popen[bytes]]:
    return program, launch.launch(program)
