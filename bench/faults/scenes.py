"""Small plans, each made so that one mutant cannot pass it and the project as it is can.

Each takes a house, breaks what its mutant rests on, and returns the judgement. Times in seconds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from bench.faults import naming, processes
from bench.faults.faults import Postgres
from bench.faults.house import House
from bench.faults.judge import Exempt, Verdict, sent_twice
from bench.faults.ledger import Sent, check_ins, urgent
from bench.faults.phones import Phones
from bench.faults.reading import drain, verdict_on
from bench.faults.sweepers import sweep_alerts
from local.fcm import Mode

SETTLES_WITHIN_S = 35.0
IN_FLIGHT_S = 5.5
"""Longer than a message that has left the sender may take to arrive or to be given up."""

MOST_KILLS = 14
HELD_POST_S = 4.0

Scene = Callable[[House], Verdict]


def _acutes(patients: Iterable[int], *, rate: float) -> list[Sent]:
    begin = time.time() + 0.1
    return [
        urgent(patient, number=number, due_at=begin + number / rate)
        for number, patient in enumerate(patients)
    ]


def _warm_up(house: House, phones: Phones) -> None:
    """One push through the relay and one request through the web: both have loaded everything."""
    phones.add(_acutes([house.ground.people], rate=1))
    drain(house, phones, within=SETTLES_WITHIN_S, assessed=False)


def _ended(house: House, phones: Phones, exempt: Exempt | None = None) -> Verdict:
    drain(house, phones, within=SETTLES_WITHIN_S, assessed=False)
    return verdict_on(house, phones, exempt=exempt, assessed=False)


def _with_phones(play: Callable[[House, Phones], Verdict]) -> Scene:
    def scene(house: House) -> Verdict:
        phones = Phones(house.port)
        try:
            _warm_up(house, phones)
            return play(house, phones)
        finally:
            phones.close()

    scene.__doc__ = play.__doc__
    return scene


@_with_phones
def database_crashes(house: House, phones: Phones) -> Verdict:
    """PostgreSQL is killed three times while check-ins are being acknowledged."""
    phones.add(
        check_ins(
            seed=1, people=house.ground.people, count=600, rate=70, acute_share=0.03,
            begin=time.time(),
        )
    )  # fmt: skip
    crash = Postgres("crash", is_killed=True)
    for _ in range(3):
        house.pause(1.7)
        crash.strike(house, random.Random(1))
        house.await_web()
    return _ended(house, phones)


@_with_phones
def web_crashes(house: House, phones: Phones) -> Verdict:
    """The web's processes are killed four times while acute check-ins are being acknowledged."""
    phones.add(
        check_ins(
            seed=2, people=house.ground.people, count=240, rate=30, acute_share=0.5,
            begin=time.time(),
        )
    )  # fmt: skip
    for _ in range(4):
        house.pause(1.3)
        house.keeper.kill("web")
        house.await_web()
    return _ended(house, phones)


@_with_phones
def senders_crash(house: House, phones: Phones) -> Verdict:
    """Relay and worker are killed while Firebase takes its time over each message."""
    house.fcm.behaviour.set(Mode.OK, latency_ms=1500)
    phones.add(_acutes(range(1, 41), rate=10))
    for _ in range(2):
        house.pause(2)
        for program in ("relay", "worker"):
            house.keeper.kill(program)
    house.pause(1)
    house.fcm.behaviour.set(Mode.OK)
    house.let_leases_run_out()
    return _ended(house, phones)


@_with_phones
def many_senders(house: House, phones: Phones) -> Verdict:
    """Two relays and two workers, a slow Firebase and no fault: each message exactly once."""
    for program in ("relay", "worker"):
        house.add_second(program)
    house.pause(4)
    house.fcm.behaviour.set(Mode.OK, latency_ms=800)
    phones.add(_acutes(range(1, 41), rate=10))
    verdict = _ended(house, phones)
    house.pause(1)
    verdict.count("sent_twice", sent_twice(house.fcm.accepted()))
    return verdict


@_with_phones
def sender_stalls(house: House, phones: Phones) -> Verdict:
    """A relay is frozen while it sends; a worker takes over; then the relay goes on."""
    patient, phone = 1, naming.target_of(naming.PHONE, 1)
    house.hold("worker", "beat")
    house.fcm.behaviour.set(Mode.HANG, target=phone, times=1)
    phones.add(_acutes([patient], rate=1))
    house.keeper.wait_until(lambda: house.fcm.behaviour.asked(phone) > 0, within=40)
    frozen = house.freeze("relay")
    house.let_leases_run_out()
    for program in ("worker", "beat"):
        house.keeper.release(program)
    drain(house, phones, within=SETTLES_WITHIN_S, assessed=False)
    house.pause(IN_FLIGHT_S)
    processes.thaw(frozen)
    house.pause(9)  # a message that was revived leaves within these
    verdict = _ended(house, phones)
    verdict.count("sent_twice", sent_twice(house.fcm.accepted(), targets=[phone]))
    return verdict


@_with_phones
def somebody_leaves(house: House, phones: Phones) -> Verdict:
    """A clinician leaves the care team while what was meant for them waits for Firebase."""
    patient = 7
    therapist = naming.therapist_of(patient, house.ground.people)
    phone = naming.target_of(naming.STAFF_PHONE, therapist)
    house.fcm.behaviour.set(Mode.RESET)
    (sent,) = acutes = _acutes([patient], rate=1)
    phones.add(acutes)
    house.keeper.wait_until(lambda: house.fcm.behaviour.asked(phone) > 0, within=40)
    with house.sql() as connection:
        connection.execute(
            "UPDATE accounts_careteammember SET ended_on = current_date - 1 WHERE patient_id = %s",
            [naming.id_of(naming.PATIENT, patient)],
        )
    house.pause(IN_FLIGHT_S)
    left_at = time.time()
    house.fcm.behaviour.set(Mode.OK)
    house.pause(5)
    verdict = _ended(house, phones, Exempt(from_clinician=frozenset({sent.id})))
    late = [each for each in house.fcm.accepted() if each.target == phone and each.at > left_at]
    verdict.count("told_after_leaving", (each.notification_id for each in late))
    return verdict


@_with_phones
def broker_loses_everything(house: House, phones: Phones) -> Verdict:
    """Acute check-ins come while the broker is away, and nothing happens after them."""
    house.keeper.hold("valkey")
    house.keeper.kill("valkey")
    phones.add(_acutes(range(1, 11), rate=10))
    house.keeper.wait_until(lambda: phones.left == 0, within=40)
    house.pause(1)
    house.keeper.release("valkey")
    house.pause(3)
    return _ended(house, phones)


@_with_phones
def broker_freezes(house: House, phones: Phones) -> Verdict:
    """The broker stops answering; no phone waits for it."""
    frozen = house.freeze("valkey")
    phones.posts_s.clear()
    phones.add(_acutes(range(1, 61), rate=10))
    house.pause(7)
    processes.thaw(frozen)
    verdict = _ended(house, phones)
    held = [took for _began, took in phones.posts_s if took > HELD_POST_S]
    verdict.count("posts_held", (f"{took:.1f} s" for took in held))
    return verdict


@_with_phones
def firebase_refuses_us(house: House, phones: Phones) -> Verdict:
    """Firebase refuses our credentials for a while, which is no fault of any phone."""
    house.fcm.behaviour.set(Mode.PERMISSION_DENIED)
    phones.add(_acutes(range(1, 21), rate=10))
    house.pause(6)
    house.fcm.behaviour.set(Mode.OK)
    return _ended(house, phones)


@_with_phones
def one_message_kills(house: House, phones: Phones) -> Verdict:
    """Whoever sends to one phone is killed: that message ends, the others arrive."""
    patient, phone = 3, naming.target_of(naming.PHONE, 3)
    house.hold("worker", "beat")
    house.fcm.behaviour.set(Mode.HANG, target=phone)
    (sent, *_others) = acutes = _acutes([patient, 1, 2], rate=10)
    phones.add(acutes)
    house.keeper.wait_until(lambda: phones.left == 0, within=40)
    for _ in range(MOST_KILLS):
        asked = house.fcm.behaviour.asked(phone)
        if not house.keeper.wait_until(
            lambda asked=asked: (
                house.fcm.behaviour.asked(phone) > asked  # type: ignore[misc]
                or _is_settled(house, sent.id)
            ),
            within=60,
        ) or _is_settled(house, sent.id):
            break
        house.keeper.kill("relay")
        house.let_leases_run_out()
    verdict = _ended(house, phones, Exempt(from_push=frozenset({sent.id})))
    key = f"support:{sent.id}:critical"
    dead = house.number(
        "SELECT count(*) FROM notifications_notification WHERE key = %(key)s AND outcome = 'dead'",
        {"key": key},
    )
    verdict.count("killers_not_ended", range(1 - dead))
    told = house.logged("notification_dead")
    verdict.count("operator_not_told_once", range(abs(1 - told)))
    return verdict


def many_sweepers(house: House) -> Verdict:
    """Four sweepers take the same alerts up their ladders, and some of these are acknowledged."""
    return sweep_alerts(house, alerts=60, sweepers=4)


def _is_settled(house: House, check_in: UUID) -> bool:
    query = (
        "SELECT count(*) FROM notifications_notification"
        " WHERE subject = %(subject)s AND settled_at IS NOT NULL"
    )
    return house.number(query, {"subject": f"check_in:{check_in}"}) > 0
