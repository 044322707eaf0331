"""What is broken: one small class for each way, bounded in time, undone when it is over.

Times in seconds. A fault draws its own details from the dice it is given.
"""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.faults import processes
from bench.faults.house import House
from local.fcm import Mode

LEASE_S = 20
SKEW_S = 90.0


class Fault(Protocol):
    """One way to break the house."""

    @property
    def name(self) -> str:
        """As it stands in the table."""
        ...

    def strike(self, house: House, dice: random.Random) -> None:
        """Breaks it and, within half a minute, lets it stand again."""
        ...


@dataclass(frozen=True, slots=True)
class KillProgram:
    """`kill -9` of a program and everything below it."""

    name: str
    programs: tuple[str, ...]

    def strike(self, house: House, dice: random.Random) -> None:
        for program in self.programs:
            house.keeper.kill(program)
        house.pause(1)


@dataclass(frozen=True, slots=True)
class KillChild:
    """`kill -9` of one process below a program: a web child, or one of the worker's pool."""

    name: str
    program: str

    def strike(self, house: House, dice: random.Random) -> None:
        pid = house.keeper.pid(self.program)
        children = processes.below(pid) if pid else []
        if children:
            processes.signal_one(dice.choice(children), signal.SIGKILL)
        house.pause(1)


@dataclass(frozen=True, slots=True)
class Restart:
    """Asks each program to end, one after the other, and waits until it is back."""

    name: str = "rolling_restart"

    def strike(self, house: House, dice: random.Random) -> None:
        for program in ("worker", "relay", "beat", "web"):
            before = house.keeper.pid(program)
            house.keeper.end(program)
            house.keeper.wait_until(
                lambda program=program, before=before: (  # type: ignore[misc]
                    house.keeper.pid(program) not in (None, before)
                ),
                within=25,
            )
        house.await_web()


@dataclass(frozen=True, slots=True)
class FreezeSender:
    """SIGSTOP of the relay or the worker for longer than a lease; others strike meanwhile."""

    name: str
    program: str

    def strike(self, house: House, dice: random.Random) -> None:
        frozen = house.freeze(self.program)
        house.keeper.later(LEASE_S + 2, lambda: processes.thaw(frozen))
        house.pause(1)


@dataclass(frozen=True, slots=True)
class Valkey:
    """The broker: killed, emptied, frozen, or away for a while."""

    name: str
    how: str
    seconds: float = 0.0

    def strike(self, house: House, dice: random.Random) -> None:
        if self.how == "flush":
            house.ground.flush_valkey()
        elif self.how == "kill":
            house.keeper.kill("valkey")
        elif self.how == "freeze":
            frozen = house.freeze("valkey")
            house.pause(self.seconds)
            processes.thaw(frozen)
        else:
            house.keeper.hold("valkey")
            house.keeper.kill("valkey")
            house.pause(self.seconds)
            house.keeper.release("valkey")
        house.pause(0.5)


@dataclass(frozen=True, slots=True)
class Postgres:
    """PostgreSQL: killed with all of its children, or shut down and away for a while."""

    name: str
    is_killed: bool
    seconds: float = 0.0

    def strike(self, house: House, dice: random.Random) -> None:
        house.keeper.hold("postgres")
        if self.is_killed:
            house.keeper.kill("postgres")
        else:
            house.keeper.end("postgres")
            house.keeper.wait_until(lambda: house.keeper.pid("postgres") is None, within=20)
        house.pause(self.seconds)
        house.keeper.release("postgres")
        house.keeper.wait_until(house.ground.postgres_is_up, within=60)


@dataclass(frozen=True, slots=True)
class Fcm:
    """Firebase answers every phone in one of its bad ways."""

    mode: Mode
    seconds: float = 3.0
    retry_after: int | None = None

    @property
    def name(self) -> str:
        return f"fcm_{self.mode.value}"

    def strike(self, house: House, dice: random.Random) -> None:
        house.fcm.behaviour.set(self.mode, retry_after=self.retry_after)
        try:
            house.pause(self.seconds)
        finally:
            house.fcm.behaviour.set(Mode.OK)


@dataclass(frozen=True, slots=True)
class TwoOfEverything:
    """A second web, worker, relay and beat beside the first, on the same port and tables."""

    name: str = "two_of_everything"
    seconds: float = 8.0

    def strike(self, house: House, dice: random.Random) -> None:
        seconds = [house.add_second(program) for program in ("worker", "relay", "beat", "web")]
        house.pause(self.seconds)
        house.keeper.remove(*seconds)


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """A second web process and relay whose clocks are off, ahead or behind."""

    name: str = "clock_skew"
    seconds: float = 8.0

    def strike(self, house: House, dice: random.Random) -> None:
        off = dice.choice((-SKEW_S, SKEW_S))
        skewed = [house.add_skewed(program, seconds=off) for program in ("relay", "web")]
        house.pause(self.seconds)
        house.keeper.remove(*skewed)


FCM_FAULTS: Sequence[Fcm] = (
    Fcm(Mode.PERMISSION_DENIED),
    Fcm(Mode.QUOTA, retry_after=2),
    Fcm(Mode.INTERNAL),
    Fcm(Mode.UNAVAILABLE_BUT_DELIVERED),
    Fcm(Mode.GARBAGE),
    Fcm(Mode.HANG),
    Fcm(Mode.RESET),
    Fcm(Mode.NOT_FOUND),
)
_ALL: Sequence[Fault] = (
    KillProgram("kill_worker", ("worker",)),
    KillProgram("kill_relay", ("relay",)),
    KillProgram("kill_all", ("worker", "relay", "beat", "web")),
    KillChild("kill_web_child", "web"),
    KillChild("kill_pool_child", "worker"),
    FreezeSender("freeze_relay", "relay"),
    FreezeSender("freeze_worker", "worker"),
    Valkey("valkey_kill", "kill"),
    Valkey("valkey_flush", "flush"),
    Valkey("valkey_freeze", "freeze", 3),
    Valkey("valkey_absent", "absent", 6),
    Postgres("postgres_kill", is_killed=True),
    Postgres("postgres_stop", is_killed=False, seconds=3),
    *FCM_FAULTS,
    TwoOfEverything(),
    ClockSkew(),
    Restart(),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
LONG_STOP: Fault = Postgres("postgres_stop_30", is_killed=False, seconds=30)


_GROUPS = ("kill_", "freeze_", "valkey_", "postgres_", "fcm_", "")
"""How their names begin: neighbours in an order come from different ones."""


def kind_of(name: str) -> str:
    """The kind that a fault counts as: the long stop of PostgreSQL is no other than a short one."""
    return name.removesuffix("_30")


def chosen(*, seed: int, count: int, long_stop: bool) -> list[Fault]:
    """That many faults in a seeded order, each kind as often as any other, give or take one."""
    dice = random.Random(f"faults {seed}")
    names: list[str] = []
    while len(names) < count:
        names += _shuffled(dice)
    faults: list[Fault] = [FAULTS[name] for name in names[:count]]
    if long_stop and faults:
        faults[len(faults) // 2] = LONG_STOP
    return faults


def _shuffled(dice: random.Random) -> list[str]:
    """Every kind once, one of each group in turn, so that a few of them are of many sorts."""
    dealt: dict[str, list[str]] = {group: [] for group in _GROUPS}
    for name in sorted(FAULTS):
        dealt[next(group for group in _GROUPS if name.startswith(group))].append(name)
    for names in dealt.values():
        dice.shuffle(names)
    rounds = itertools.zip_longest(*dealt.values())
    return [name for each in rounds for name in each if name is not None]
