"""The runs under load: with faults, without any, and without a broker."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.faults import naming
from bench.faults.faults import chosen, kind_of
from bench.faults.ground import Ground
from bench.faults.house import House
from bench.faults.judge import Verdict, sent_twice
from bench.faults.ledger import Sent, check_ins
from bench.faults.phones import Phones
from bench.faults.reading import drain, verdict_on
from bench.measure import ProcessTree
from local.fcm import Mode

DRAIN_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many check-ins, how many a second, and which share of them is acute."""

    check_ins: int
    rate: float
    acute_share: float


def name_the_dead(house: House) -> None:
    """Phones whose app is gone, for as long as the run lasts, whatever mode comes for all."""
    for target in naming.dead_targets(house.ground.people):
        house.fcm.behaviour.set(Mode.UNREGISTERED, target=target)


def with_faults(
    ground: Ground, *, seed: int, count: int, acute_share: float, faults: int, long_stop: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """One seed: so many check-ins spread over so many faults, one after the other."""
    struck = chosen(seed=seed, count=faults, long_stop=long_stop)
    dice = random.Random(f"details {seed}")
    house = House(ground, tree=ground.tree)
    phones = Phones(house.port)
    try:
        name_the_dead(house)
        left = _made(Load(count, 1, acute_share), seed=seed, people=ground.people)
        began = time.monotonic()
        for number, fault in enumerate(struck, 1):
            # Each fault has its own share of the load, however long the ones before it took.
            share = [left.pop() for _ in range(len(left) // (len(struck) - number + 1))]
            phones.add(_due_from_now(share, within=_guess_s(fault.name)))
            house.pause(dice.uniform(0.2, 1.0))
            struck_at = time.monotonic()
            fault.strike(house, dice)
            took = time.monotonic() - struck_at
            say(f"    {number:3}/{len(struck)} {fault.name:32} {took:5.1f} s   left {phones.left}")
            house.pause(dice.uniform(0.3, 1.5))
        lasted = time.monotonic() - began
        house.keeper.do_all_later()
        house.await_web()
        drain(house, phones, within=max(DRAIN_WITHIN_S, _to_send_s(phones)))
        verdict = verdict_on(house, phones)
        if not verdict.is_green:
            say(f"    logs: {house.keep_logs(f'seed-{seed}')}")
    finally:
        phones.close()
        house.close()
    return {
        "seed": seed,
        "faults": len(struck),
        "kinds": len({kind_of(fault.name) for fault in struck}),
        "lasted_s": round(lasted, 1),
        **told(verdict),
    }


def quiet(ground: Ground, *, load: Load, broker: bool, seed: int = 0) -> dict[str, Any]:
    """No fault at all: each message exactly once. Without a broker when that is asked."""
    house = House(ground, tree=ground.tree, broker=broker)
    phones = Phones(house.port)
    try:
        name_the_dead(house)
        # The first push of a process loads Firebase's SDK, the first request of a child the rest.
        phones.add(
            _made(Load(40, 10, load.acute_share), seed=seed + 1_000_000, people=ground.people)
        )
        house.pause(6)
        drain(house, phones, within=DRAIN_WITHIN_S)
        phones.posts_s.clear()
        phones.ledger.clear()
        before, began = _cpu_s(house), time.monotonic()
        phones.add(_made(load, seed=seed, people=ground.people))
        house.pause(load.check_ins / load.rate)
        after, lasted = _cpu_s(house), time.monotonic() - began
        drain(house, phones, within=DRAIN_WITHIN_S)
        verdict = verdict_on(house, phones)
        verdict.count("sent_twice", sent_twice(house.fcm.accepted()))
        # In processors, while the load lasted: what is missing to their number others had.
        busy = {f"cpus_{name}": round((after[name] - before[name]) / lasted, 2) for name in after}
    finally:
        phones.close()
        house.close()
    return {"rate_per_s": load.rate, **busy, **told(verdict)}


def _cpu_s(house: House) -> dict[str, float]:
    """Seconds of CPU so far of each program and everything below it, and of the bench itself."""
    names = ("web", "worker", "relay", "postgres")
    pids = {name: house.keeper.pid(name) for name in names}
    trees = {name: ProcessTree(pid).cpu_s() for name, pid in pids.items() if pid}
    return {**trees, "bench": time.process_time()}


def told(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it stands in the file of figures."""
    found: dict[str, Any] = {
        "is_green": verdict.is_green,
        **verdict.zeros,
        **verdict.figures,
        "zeros": dict(verdict.zeros),
    }
    if verdict.examples:
        found["examples"] = verdict.examples
    return found


def _made(load: Load, *, seed: int, people: int) -> list[Sent]:
    return list(
        check_ins(
            seed=seed,
            people=people,
            count=load.check_ins,
            rate=load.rate,
            acute_share=load.acute_share,
            begin=time.time() + 0.2,
        )
    )


def _due_from_now(check_ins_: list[Sent], *, within: float) -> list[Sent]:
    """The same, due at an even pace over that many seconds."""
    now = time.time()
    for place, sent in enumerate(check_ins_):
        sent.due_at = now + within * place / len(check_ins_)
    return check_ins_


def _to_send_s(phones: Phones) -> float:
    """What is still to be sent, at a pace that a busy machine keeps."""
    return DRAIN_WITHIN_S + phones.left / 20


def _guess_s(name: str) -> float:
    """About how long a fault lasts with the pauses around it: over that its load is spread."""
    known = {
        "postgres_stop_30": 34.0, "rolling_restart": 12.0, "two_of_everything": 14.0,
        "clock_skew": 12.0, "valkey_absent": 8.0, "postgres_stop": 7.0, "postgres_kill": 5.0,
        "valkey_freeze": 5.0,
    }  # fmt: skip
    return known.get(name, 4.5 if name.startswith("fcm_") else 3.0)
