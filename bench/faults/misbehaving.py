"""Minutes of a misbehaving Firebase, with phones that live and phones whose app is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.faults import naming
from bench.faults.faults import FCM_FAULTS
from bench.faults.ground import Ground
from bench.faults.house import House
from bench.faults.judge import Verdict
from bench.faults.ledger import urgent
from bench.faults.phones import Phones
from bench.faults.reading import drain, verdict_on
from bench.faults.runs import DRAIN_WITHIN_S, told
from local.fcm import Mode

LONGEST_SEND_S = 5.0
ACUTE_EVERY_S = 0.75
MODE_S, GOOD_S = 11.0, 4.0


def misbehave(ground: Ground, *, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """One way after the other, again and again, while acute check-ins keep coming."""
    house = House(ground, tree=ground.tree)
    phones = Phones(house.port)
    try:
        gone = _let_apps_go(house)
        begin = time.time()
        count = min(int(seconds / ACUTE_EVERY_S), ground.people)
        phones.add(
            urgent(n, kind="craving", number=n, due_at=begin + n * ACUTE_EVERY_S)
            for n in range(1, count + 1)
        )
        turn = 0
        while time.time() < begin + seconds:
            fault = FCM_FAULTS[turn % len(FCM_FAULTS)]
            house.fcm.behaviour.set(fault.mode, retry_after=fault.retry_after)
            house.pause(MODE_S)
            house.fcm.behaviour.set(Mode.OK)
            house.pause(GOOD_S)
            turn += 1
            say(f"    {fault.name:32} {time.time() - begin:5.0f} s   left {phones.left}")
        drain(house, phones, within=DRAIN_WITHIN_S)
        verdict = verdict_on(house, phones)
        _judge_devices(verdict, house, [target for n, target in gone if n <= count])
    finally:
        phones.close()
        house.close()
    return {"seconds": seconds, "modes": turn, **told(verdict)}


def _let_apps_go(house: House) -> list[tuple[int, str]]:
    """Half of them are unknown to Firebase, half belong to somebody else's project."""
    numbers = [n for n in range(1, house.ground.people + 1) if naming.second_is_dead(n)]
    gone = [(n, naming.target_of(naming.SECOND_PHONE, n)) for n in numbers]
    for place, (_number, target) in enumerate(gone):
        mode = Mode.UNREGISTERED if place % 2 else Mode.SENDER_MISMATCH
        house.fcm.behaviour.set(mode, target=target)
    return gone


def _judge_devices(verdict: Verdict, house: House, gone: list[str]) -> None:
    """Each app that is gone was sent to once and its phone retired; no send lasted too long."""
    with house.sql() as connection:
        found = connection.execute(
            b"SELECT push_target FROM accounts_device WHERE unbound_at IS NULL"
        ).fetchall()
    live = {target for (target,) in found}
    verdict.count("dead_devices_not_retired", (target for target in gone if target in live))
    verdict.count(
        "dead_devices_sent_to_again",
        (target for target in gone if house.fcm.behaviour.asked(target) != 1),
    )
    longest = verdict.figures["longest_send_s"] or 0
    verdict.count("sends_over_5_s", [longest] if longest > LONGEST_SEND_S else [])
    verdict.figures["dead_devices"] = len(gone)
